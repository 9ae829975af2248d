import type { Room } from "./model";

export interface Rooms {
  readonly status: "loading" | "ready" | "failed";
  readonly problem: string | null;
  /** By name. */
  readonly all: readonly Room[];
}

export const noRooms: Rooms = { status: "loading", problem: null, all: [] };

export function findRoom(rooms: Rooms, name: string): Room | undefined {
  return rooms.all.find((room) => room.name === name);
}

export function withRoom(rooms: Rooms, room: Room): Rooms {
  const others = rooms.all.filter(({ name }) => name !== room.name);
  return { ...rooms, all: byName([...others, room]) };
}

export function changeRoom(rooms: Rooms, name: string, change: Partial<Room>): Rooms {
  return { ...rooms, all: rooms.all.map((room) => (room.name === name ? { ...room, ...change } : room)) };
}

export function withoutRoom(rooms: Rooms, name: string): Rooms {
  return { ...rooms, all: rooms.all.filter((room) => room.name !== name) };
}

export function byName(rooms: readonly Room[]): readonly Room[] {
  return [...rooms].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Names and topics that hold every word of the filter; a # in front of a name does not disturb. */
export function filterRooms(rooms: readonly Room[], filter: string): readonly Room[] {
  const words = filter.toLowerCase().replace(/^\s*#/, "").split(/\s+/).filter(Boolean);
  return rooms.filter((room) => {
    const text = `${room.name} ${room.topic}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
