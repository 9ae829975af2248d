import type { Unsent } from "../domain/outbox";

/** As much of the Web Storage API as is used here. */
export type Store = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

/**
 * What the page keeps in the browser. A browser may refuse to (private windows, a full disk): then everything goes on
 * without.
 */
export interface Keeper {
  read(key: string): unknown;
  write(key: string, value: unknown): void;
  remove(key: string): void;
  keys(prefix: string): string[];
}

export function createKeeper(store: () => Store): Keeper {
  function attempt<T>(action: (store: Store) => T, otherwise: T): T {
    try {
      return action(store());
    } catch {
      return otherwise;
    }
  }
  return {
    read: (key) =>
      attempt((store) => {
        const value = store.getItem(key);
        return value === null ? null : (JSON.parse(value) as unknown);
      }, null),
    write: (key, value) => attempt((store) => store.setItem(key, JSON.stringify(value)), undefined),
    remove: (key) => attempt((store) => store.removeItem(key), undefined),
    keys: (prefix) =>
      attempt((store) => {
        const keys = Array.from({ length: store.length }, (_, index) => store.key(index));
        return keys.filter((key) => key?.startsWith(prefix)) as string[];
      }, []),
  };
}

/** One user's things; another who signs in on this device gets none of them. */
export interface Desk {
  unsent(): Unsent[];
  /** Brings what is kept into line with the entries: each has a key of its own, so that windows do not overwrite each other. */
  keepUnsent(before: readonly Unsent[], now: readonly Unsent[]): void;
  /** The client_id of the unsent message that a key belongs to. */
  unsentKey(key: string): string | null;
  forgetUnsent(): void;
  draft(room: string): string;
  keepDraft(room: string, text: string): void;
  seen(): Record<string, number>;
  keepSeen(room: string, id: number): void;
  lastRoom(): string | null;
  keepLastRoom(room: string): void;
}

export function createDesk(keeper: Keeper, userId: number): Desk {
  const root = `chat.user.${userId}.`;
  const unsentRoot = `${root}unsent.`;
  const seenKey = `${root}seen`;

  const durable = (entry: Unsent): Unsent => (entry.state === "sending" ? { ...entry, state: "waiting" } : entry);

  function unsent(): Unsent[] {
    return keeper
      .keys(unsentRoot)
      .map((key) => keeper.read(key))
      .filter(isUnsent)
      .sort((a, b) => a.at - b.at);
  }

  function seen(): Record<string, number> {
    const value = keeper.read(seenKey);
    if (typeof value !== "object" || value === null) return {};
    return Object.fromEntries(Object.entries(value).filter(([, id]) => typeof id === "number"));
  }

  return {
    unsent,
    keepUnsent(before, now) {
      const old = new Map(before.map((entry) => [entry.clientId, JSON.stringify(durable(entry))]));
      for (const entry of now) {
        const kept = durable(entry);
        if (old.get(entry.clientId) !== JSON.stringify(kept)) keeper.write(unsentRoot + entry.clientId, kept);
        old.delete(entry.clientId);
      }
      for (const clientId of old.keys()) keeper.remove(unsentRoot + clientId);
    },
    unsentKey: (key) => (key.startsWith(unsentRoot) ? key.slice(unsentRoot.length) : null),
    forgetUnsent() {
      for (const key of keeper.keys(unsentRoot)) keeper.remove(key);
    },
    draft(room) {
      const value = keeper.read(`${root}draft.${room}`);
      return typeof value === "string" ? value : "";
    },
    keepDraft(room, text) {
      if (text) keeper.write(`${root}draft.${room}`, text);
      else keeper.remove(`${root}draft.${room}`);
    },
    seen,
    keepSeen(room, id) {
      const kept = seen(); // another window may have seen more
      if ((kept[room] ?? -1) < id) keeper.write(seenKey, { ...kept, [room]: id });
    },
    lastRoom() {
      const value = keeper.read(`${root}room`);
      return typeof value === "string" ? value : null;
    },
    keepLastRoom: (room) => keeper.write(`${root}room`, room),
  };
}

function isUnsent(value: unknown): value is Unsent {
  if (typeof value !== "object" || value === null) return false;
  const { clientId, room, text, at, state } = value as Partial<Unsent>;
  return (
    typeof clientId === "string" &&
    typeof room === "string" &&
    typeof text === "string" &&
    typeof at === "number" &&
    (state === "waiting" || state === "failed")
  );
}
