"use strict";
// The page is whole without this: it adds a filter over hosts, buttons that fold, and buttons that copy commands.
(() => {
  const make = (name, properties, parent) => parent.appendChild(Object.assign(document.createElement(name), properties));

  for (const place of document.querySelectorAll("[data-filter]")) {
    const rows = [...document.querySelectorAll("[data-host]")];
    if (rows.length < 40) continue;
    const label = make("label", { textContent: "Show hosts named " }, place);
    const field = make("input", { type: "search", autocomplete: "off", spellcheck: false }, label);
    const said = make("span", { role: "status", className: "faint" }, place);
    field.addEventListener("input", () => {
      const wanted = field.value.trim().toLowerCase();
      let shown = 0;
      for (const row of rows) {
        row.hidden = !row.dataset.host.toLowerCase().includes(wanted);
        if (!row.hidden && row.tagName === "LI") shown += 1;
      }
      said.textContent = wanted ? ` ${shown} shown` : "";
    });
  }

  for (const place of document.querySelectorAll("[data-fold]")) {
    const parts = [...document.querySelectorAll("details.diff")];
    if (parts.length < 3) continue;
    for (const [words, open] of [["Open all", true], ["Close all", false]]) {
      make("button", { type: "button", textContent: words }, place).addEventListener("click", () => {
        for (const part of parts) part.open = open;
      });
    }
  }

  for (const command of document.querySelectorAll(".command")) {
    if (!navigator.clipboard) break;
    const button = make("button", { type: "button", textContent: "Copy" }, command);
    button.setAttribute("aria-label", `Copy: ${command.querySelector("code").textContent}`);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(command.querySelector("code").textContent);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Not copied";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  }

  // What is folded is printed, too.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const part of folded) part.open = true;
  });
  addEventListener("afterprint", () => {
    for (const part of folded) part.open = false;
  });
})();
