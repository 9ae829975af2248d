// Runs before the first paint and keeps its name across releases.
(function () {
  // The chosen theme, so that the page never flashes in the other one.
  try {
    const theme = localStorage.getItem("chat.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // No storage: the system's theme it is.
  }

  // During a rollout the page may come from a host with the new release and its files be asked of one that still has
  // the old release (or the other way round). A file that is missing then is there a moment later: load again, for a while.
  const TRIES = 20;
  const key = "chat.boot";
  window.addEventListener(
    "error",
    function (event) {
      const url = event.target && (event.target.src || event.target.href);
      if (!url || url.indexOf(location.origin + "/assets/") !== 0) return;
      let tries = TRIES;
      try {
        tries = Number(sessionStorage.getItem(key)) || 0;
        sessionStorage.setItem(key, String(tries + 1));
      } catch {
        // Without a memory it would load again for ever.
      }
      if (tries < TRIES) setTimeout(() => location.reload(), 500 + Math.random() * 1500);
      else document.documentElement.append("Chat could not be loaded. Please reload the page.");
    },
    true,
  );
  window.addEventListener("load", function () {
    try {
      if (document.getElementById("root").hasChildNodes()) sessionStorage.removeItem(key);
    } catch {
      // Nothing was counted.
    }
  });
})();
