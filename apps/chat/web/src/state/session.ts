import { backoff } from "../domain/connection";
import type { User } from "../domain/model";
import { asRefusal, explain } from "../domain/refusal";
import type { Api, Credentials } from "../services/api";
import type { Keeper } from "../services/storage";
import { createStore, type Store } from "./store";

export type Session =
  | { status: "loading" }
  /** The service does not answer; it is asked again by itself. */
  | { status: "away"; problem: string }
  | { status: "out"; why: "never" | "left" | "ended"; name: string }
  | { status: "in"; user: User };

export interface SessionStore extends Store<Session> {
  start(): void;
  stop(): void;
  retry(): void;
  signIn(credentials: Credentials): Promise<void>;
  signUp(credentials: Credentials): Promise<void>;
  signOut(): Promise<void>;
  /** Somebody else found out: a request, or the live connection. */
  ended(): void;
}

/** Changes when somebody signs in or out, so that other windows of this browser notice. */
export const SESSION_KEY = "chat.session";

export function createSession(api: Api, keeper: Keeper, random: () => number = Math.random): SessionStore {
  const store = createStore<Session>({ status: "loading" });
  let stopped = true;
  let attempt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const nameOf = (session: Session) =>
    session.status === "in" ? session.user.name : session.status === "out" ? session.name : "";

  async function look(): Promise<void> {
    clearTimeout(timer);
    try {
      const { user } = await api.session();
      if (stopped) return;
      attempt = 0;
      const before = store.get();
      if (user) {
        if (before.status !== "in" || before.user.id !== user.id) store.set({ status: "in", user });
      } else if (before.status !== "out") {
        store.set({ status: "out", why: before.status === "in" ? "ended" : "never", name: nameOf(before) });
      }
    } catch (error) {
      if (stopped) return;
      // Who is signed in already goes on; the connection has its own words for it.
      if (store.get().status === "in" || store.get().status === "out") return;
      store.set({ status: "away", problem: explain(asRefusal(error)) });
      timer = setTimeout(() => void look(), backoff(attempt++, random()));
    }
  }

  function entered(user: User): void {
    store.set({ status: "in", user });
    keeper.write(SESSION_KEY, { user: user.id, at: Date.now() });
  }

  function onStorage(event: StorageEvent): void {
    if (event.key === SESSION_KEY) void look();
  }

  return {
    get: store.get,
    subscribe: store.subscribe,
    start() {
      stopped = false;
      window.addEventListener("storage", onStorage);
      void look();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      window.removeEventListener("storage", onStorage);
    },
    retry: () => void look(),
    async signIn(credentials) {
      entered((await api.signIn(credentials)).user);
    },
    async signUp(credentials) {
      entered((await api.signUp(credentials)).user);
    },
    async signOut() {
      await api.signOut();
      store.set({ status: "out", why: "left", name: nameOf(store.get()) });
      keeper.write(SESSION_KEY, { user: null, at: Date.now() });
    },
    ended() {
      const before = store.get();
      if (before.status === "in") store.set({ status: "out", why: "ended", name: before.user.name });
    },
  };
}
