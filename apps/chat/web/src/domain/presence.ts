import type { Member, User } from "./model";

/** Who is online in a room, by id; null as long as nobody has said. */
export type Presence = ReadonlyMap<number, User> | null;

export function arrived(users: readonly User[]): Presence {
  return new Map(users.map((user) => [user.id, user]));
}

export function changePresence(presence: Presence, user: User, online: boolean): Presence {
  const next = new Map(presence ?? []);
  if (online) next.set(user.id, user);
  else next.delete(user.id);
  return next;
}

/** The members, those online first, each part by name. What the socket says is newer than what a page said. */
export function partition(members: readonly Member[], presence: Presence): { online: User[]; offline: User[] } {
  const all = new Map<number, User>(members.map(({ id, name }) => [id, { id, name }]));
  const here = presence ?? new Map(members.filter(({ online }) => online).map((user) => [user.id, user]));
  const online = [...here.values()].map(({ id, name }) => ({ id, name }));
  const offline = [...all.values()].filter(({ id }) => !here.has(id));
  return { online: online.sort(byName), offline: offline.sort(byName) };
}

function byName(a: User, b: User): number {
  return a.name.localeCompare(b.name, undefined, { sensitivity: "base" });
}
