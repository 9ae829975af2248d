import type { Message, User } from "./model";

/** Per room: what has been seen, and which messages of others came after it. */
export type Unread = Readonly<
  Record<
    string,
    {
      readonly seen: number;
      readonly ids: readonly number[];
      /** There is more than the ids tell: written while nobody was connected. */
      readonly more: boolean;
    }
  >
>;

export function restoreUnread(seen: Readonly<Record<string, number>>): Unread {
  return Object.fromEntries(Object.entries(seen).map(([room, id]) => [room, { seen: id, ids: [], more: false }]));
}

/** Messages of a room, in any order and any number of times. */
export function hear(state: Unread, room: string, messages: readonly Message[], me: User): Unread {
  const before = state[room] ?? { seen: 0, ids: [], more: false };
  const fresh = messages.filter(
    ({ id, author }) => author?.id !== me.id && id > before.seen && !before.ids.includes(id),
  );
  if (fresh.length === 0) return state;
  return { ...state, [room]: { ...before, ids: [...new Set([...before.ids, ...fresh.map(({ id }) => id)])] } };
}

/** The room's newest message, as a list of rooms tells it. A room never heard of before counts as seen. */
export function learnLast(state: Unread, room: string, last: number | null): Unread {
  const before = state[room];
  if (!before) return { ...state, [room]: { seen: last ?? 0, ids: [], more: false } };
  if (last === null || last <= Math.max(before.seen, ...before.ids)) return state;
  return { ...state, [room]: { ...before, more: true } };
}

export function see(state: Unread, room: string, id: number): Unread {
  const before = state[room];
  if (before && id <= before.seen && before.ids.length === 0 && !before.more) return state;
  const seen = Math.max(before?.seen ?? 0, id);
  return { ...state, [room]: { seen, ids: (before?.ids ?? []).filter((other) => other > seen), more: false } };
}

export function unreadIn(state: Unread, room: string): { count: number; more: boolean } {
  const { ids, more } = state[room] ?? { ids: [], more: false };
  return { count: ids.length, more };
}

/** "", "3", "99+", or "new" where nobody has counted. */
export function badge({ count, more }: { count: number; more: boolean }): string {
  if (count === 0) return more ? "new" : "";
  return count > 99 ? "99+" : `${count}${more ? "+" : ""}`;
}

export function totalUnread(state: Unread, rooms: readonly string[]): number {
  return rooms.reduce((total, room) => total + unreadIn(state, room).count, 0);
}
