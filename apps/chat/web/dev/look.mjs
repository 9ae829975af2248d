// Walks through every screen of the built page in Chromium, light and dark, wide and narrow, in front of the fake
// backend; has axe judge each (contrast included) and leaves a picture in dev/screens. Ends with status 1 if axe or the
// browser's console has something to say.
//
//     npm run build && npm run look [screens]
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const FAKE_PORT = 5998;
const PAGE_PORT = 5997;
const PAGE = process.env.LOOK_AT ?? `http://localhost:${PAGE_PORT}`;
const FAKE = `http://localhost:${FAKE_PORT}/fake`;
const SCREENS = new URL("./screens/", import.meta.url).pathname;
const only = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const children = [
  spawn("node", ["dev/fake-backend.mjs"], { env: { ...process.env, PORT: String(FAKE_PORT) }, stdio: "inherit" }),
  spawn("node", ["node_modules/vite/bin/vite.js", "preview", "--port", String(PAGE_PORT), "--strictPort"], {
    env: { ...process.env, CHAT_API_PORT: String(FAKE_PORT), CHAT_WEBSOCKET_PORT: String(FAKE_PORT) },
    stdio: "ignore",
  }),
];
process.on("exit", () => children.forEach((child) => child.kill()));
mkdirSync(SCREENS, { recursive: true });
for (let tries = 0; tries < 50; tries++) {
  if (
    await fetch(PAGE).then(
      ({ ok }) => ok,
      () => false,
    )
  )
    break;
  await wait(200);
}

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
const trouble = (body) => fetch(FAKE, { method: "POST", body: JSON.stringify(body) });
const calm = () => trouble({ away: false, slow: 0, refuse: null });

async function signIn(page, path = "/rooms/lobby", name = "anna") {
  await page.goto(PAGE + path);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill("correct horse");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.locator(".sidebar").waitFor({ state: "attached" });
}

const room = (page, name) => page.getByRole("textbox", { name: `Message #${name}` }).waitFor();

// As the button "All rooms" does where there is no space for both.
const toRooms = (page) =>
  page.evaluate(() => {
    window.history.pushState(null, "", "/");
    window.dispatchEvent(new PopStateEvent("popstate"));
  });

const screens = {
  async loading(page) {
    await trouble({ slow: 3000 });
    await page.goto(PAGE);
    await page.getByText("Loading chat").waitFor();
  },
  async away(page) {
    await trouble({ away: true });
    await page.goto(PAGE);
    await page.getByText("Chat is away").waitFor();
  },
  async "sign-in"(page) {
    await page.goto(PAGE);
    await page.getByLabel("Password").waitFor();
  },
  async "sign-in-refused"(page) {
    await page.goto(PAGE);
    await page.getByLabel("Name").fill("anna");
    await page.getByLabel("Password").fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
  },
  async "sign-up"(page) {
    await page.goto(PAGE);
    await page.getByRole("button", { name: "Create one" }).click();
    await page.getByLabel("Name").fill("a b");
    await page.getByLabel("Password").fill("short");
    await page.keyboard.press("Enter");
    await page.getByText("Use at least 10").waitFor();
  },
  async room(page) {
    await signIn(page);
    await room(page, "lobby");
    await page.getByText("All hosts are done.").waitFor();
    await wait(300);
  },
  async rooms(page) {
    await signIn(page);
    await room(page, "lobby");
    await wait(500); // the other rooms are joined one after the other
    await trouble({ say: { room: "deployments", name: "ben.okafor", text: "host", times: 3 } });
    await toRooms(page);
    await page.getByText("3 unread").waitFor();
  },
  async "new-messages"(page) {
    await signIn(page);
    await room(page, "lobby");
    await wait(300);
    await page.getByRole("region", { name: "Messages in lobby" }).evaluate((box) => (box.scrollTop -= 500));
    await wait(200);
    await trouble({ say: { room: "lobby", name: "ben.okafor", text: "news", times: 2 } });
    await page.getByRole("button", { name: "2 new messages" }).waitFor();
  },
  // Not only to look at: what is in view stays there while older messages come above it and newer ones below.
  async "scrolled-up"(page) {
    await signIn(page);
    await room(page, "lobby");
    await wait(300);
    const box = page.getByRole("region", { name: "Messages in lobby" });
    const place = () =>
      box.evaluate((element) => {
        const top = element.getBoundingClientRect().top;
        const all = [...element.querySelectorAll("[data-key]")];
        const first = all.find((row) => row.getBoundingClientRect().top >= top);
        return {
          count: all.length,
          key: first.dataset.key,
          y: first.getBoundingClientRect().top,
          gap: element.scrollHeight - element.clientHeight - element.scrollTop,
        };
      });
    const start = await place();
    if (start.gap > 1) throw new Error(`does not begin at the end: ${JSON.stringify(start)}`);
    await box.evaluate((element) => (element.scrollTop = 350));
    const before = await place();
    await page.waitForFunction((count) => document.querySelectorAll("[data-key]").length > count, start.count);
    await trouble({ say: { room: "lobby", name: "ben.okafor", text: "below" } });
    await page.getByRole("button", { name: "1 new message" }).waitFor();
    const after = await place();
    if (before.key !== after.key || Math.abs(before.y - after.y) > 1)
      throw new Error(`jumped: ${JSON.stringify({ before, after })}`);
    await page.getByRole("textbox").last().fill("mine");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => {
      const element = document.querySelector(".messages");
      return element.scrollHeight - element.clientHeight - element.scrollTop < 2;
    });
  },
  async members(page, { narrow }) {
    await signIn(page);
    await room(page, "lobby");
    if (narrow) await page.getByRole("button", { name: /^Members/ }).click();
    await page.getByText("guest-10").waitFor();
  },
  async "long-texts"(page) {
    await signIn(page, "/rooms/design");
    await room(page, "design");
    await page.getByRole("textbox", { name: "Message #design" }).fill("word ".repeat(810));
    await page.getByText("too many").waitFor();
  },
  async "long-name"(page) {
    await signIn(page, "/rooms/a-room-with-a-very-long-name-that-goes-on-and-on-to-the-limit-64");
    await page.getByText("hello?").waitFor();
  },
  async empty(page) {
    await signIn(page, "/rooms/empty");
    await page.getByText("Nothing here yet").waitFor();
  },
  async outside(page) {
    await signIn(page, "/rooms/random");
    await page.getByRole("button", { name: "Join #random" }).waitFor();
  },
  async missing(page) {
    await signIn(page, "/rooms/nowhere");
    await page.getByRole("button", { name: "Create #nowhere" }).waitFor();
  },
  async "room-failed"(page) {
    await trouble({ refuse: "/api/rooms/lobby" });
    await signIn(page);
    await page.getByText("This room could not be loaded").waitFor();
  },
  async "rooms-failed"(page) {
    await trouble({ refuse: "/api/rooms" });
    await signIn(page);
    await page.getByText("The rooms could not be loaded").waitFor({ state: "attached" });
    await toRooms(page);
    await page.getByText("The rooms could not be loaded").waitFor();
  },
  async "create-room"(page) {
    await signIn(page);
    await room(page, "lobby");
    await toRooms(page);
    await page.getByRole("button", { name: "Create a room" }).click();
    await page.getByLabel("Name").fill("design");
    await page.getByRole("button", { name: "Create", exact: true }).click();
    await page.getByText("There is a room of this name").waitFor();
  },
  async offline(page) {
    await signIn(page);
    await room(page, "lobby");
    await wait(300);
    await page.context().setOffline(true);
    await trouble({ away: true }); // Chromium's offline mode leaves websockets alone
    await page.getByText("You are offline").waitFor();
    await page.getByRole("textbox").last().fill("Written on a train, in a tunnel.");
    await page.keyboard.press("Enter");
    await page.getByText("Will be sent once").waitFor();
  },
  async reconnecting(page) {
    await signIn(page);
    await room(page, "lobby");
    await trouble({ away: true });
    await page.getByText("No connection").waitFor();
  },
  async failed(page) {
    await signIn(page);
    await room(page, "lobby");
    await page.getByRole("textbox").last().fill("This holds a forbidden word.");
    await page.keyboard.press("Enter");
    await page.getByText("Not sent.").waitFor();
  },
  async "rate-limited"(page) {
    await signIn(page);
    await room(page, "lobby");
    for (let index = 1; index <= 13; index++) {
      await page.getByRole("textbox").last().fill(`Quickly, number ${index}`);
      await page.keyboard.press("Enter");
    }
    await page.getByText("Too many at once").first().waitFor();
  },
  async "sign-out"(page) {
    await signIn(page, "/rooms/empty");
    await room(page, "empty");
    await page.getByRole("textbox").last().fill("forbidden");
    await page.keyboard.press("Enter");
    await page.getByText("Not sent.").waitFor();
    await toRooms(page);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("One message is not sent").waitFor();
  },
  async "session-ended"(page) {
    await signIn(page);
    await room(page, "lobby");
    await trouble({ sign_out: true });
    await page.getByText("Your session has ended").waitFor();
  },
};

const expected = /Failed to load resource|WebSocket connection|WebSocket is closed/; // the browser's own words for trouble made here
let complaints = 0;
for (const [name, visit] of Object.entries(screens)) {
  if (only.length > 0 && !only.includes(name)) continue;
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 360, 320]) {
      if (width === 320 && colorScheme === "dark") continue;
      const narrow = width < 700;
      const context = await browser.newContext({
        colorScheme,
        viewport: { width, height: narrow ? 700 : 800 },
        reducedMotion: "reduce",
      });
      const page = await context.newPage();
      page.setDefaultTimeout(4000);
      const label = `${name}-${colorScheme}-${width}`;
      const complain = (text) => {
        complaints++;
        console.log(`${label}: ${text}`);
      };
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type()) && !expected.test(message.text())) complain(message.text());
      });
      page.on("pageerror", (error) => complain(String(error)));
      try {
        await calm();
        await visit(page, { narrow });
        await page.screenshot({ path: `${SCREENS}${label}.png` });
        const sideways = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        if (sideways > 0) complain(`scrolls sideways by ${sideways}px`);
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
        for (const { id, help, nodes } of violations) {
          complain(
            `axe ${id}: ${help}\n    ${nodes
              .slice(0, 3)
              .map(({ html, any }) => `${html.slice(0, 160)} ${any[0]?.message ?? ""}`)
              .join("\n    ")}`,
          );
        }
      } catch (error) {
        await page.screenshot({ path: `${SCREENS}${label}-WRONG.png` }).catch(() => undefined);
        complain(String(error));
      }
      await context.close();
    }
  }
}
await browser.close();
console.log(complaints ? `${complaints} complaints` : "no complaints");
process.exit(complaints ? 1 : 0);
