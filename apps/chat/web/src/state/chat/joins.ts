import { arrived } from "../../domain/presence";
import { learnLast } from "../../domain/unread";
import type { Joined, Live } from "../../services/socket";
import type { Core } from "./core";

/** The rooms whose messages arrive on this connection. */
export interface Joins {
  has(room: string): boolean;
  join(room: string): Promise<Joined>;
  forget(room: string): void;
  /** Another connection: what was joined on the one before does not hold any more. */
  renew(): void;
  /** There is none now. */
  clear(): void;
  others(): Promise<void>;
}

const LIVE_ROOMS = 100;

export function createJoins({ state, set, setView }: Core, live: Live): Joins {
  /** Counts connections. */
  let visit = 0;
  let joined = new Set<string>();
  let joiningOthers = false;

  async function joinLive(room: string) {
    const mine = visit;
    const answer = await live.join(room);
    if (mine === visit) {
      joined.add(room);
      setView(room, { presence: arrived(answer.online) });
    }
    return answer;
  }

  /** Rooms that are not open, for the number of their unread messages. */
  async function joinOthers(): Promise<void> {
    if (joiningOthers) return;
    joiningOthers = true;
    try {
      const mine = state()
        .rooms.all.filter((room) => room.joined)
        .slice(0, LIVE_ROOMS);
      for (const { name } of mine) {
        if (live.connection.phase !== "online") return;
        if (joined.has(name) || name === state().open) continue;
        await joinLive(name).then(
          ({ last_id }) => set({ unread: learnLast(state().unread, name, last_id) }),
          () => undefined, // it is joined when it is opened, or when the list is read again
        );
      }
    } finally {
      joiningOthers = false;
    }
  }

  return {
    has: (room) => joined.has(room),
    join: joinLive,
    forget: (room) => void joined.delete(room),
    renew() {
      visit++;
      joined = new Set();
    },
    clear() {
      joined = new Set();
    },
    others: joinOthers,
  };
}
