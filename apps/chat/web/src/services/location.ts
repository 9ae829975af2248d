import { createStore, type Store } from "../state/store";

/** The path of the address, by the History API. */
export interface Location extends Store<string> {
  go(path: string, options?: { replace?: boolean }): void;
  start(): () => void;
}

export function createLocation(): Location {
  const store = createStore(window.location.pathname);
  const read = () => store.set(window.location.pathname);
  return {
    get: store.get,
    subscribe: store.subscribe,
    go(path, { replace = false } = {}) {
      if (path !== window.location.pathname) {
        if (replace) window.history.replaceState(null, "", path);
        else window.history.pushState(null, "", path);
      }
      read();
    },
    start() {
      window.addEventListener("popstate", read);
      return () => window.removeEventListener("popstate", read);
    },
  };
}
