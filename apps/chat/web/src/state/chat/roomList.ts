import type { Room } from "../../domain/model";
import { asRefusal, explain } from "../../domain/refusal";
import { byName } from "../../domain/rooms";
import { learnLast } from "../../domain/unread";
import type { Core } from "./core";
import type { Joins } from "./joins";
import { PAGE } from "./limits";

/** The list of all rooms, read now and then. */
export interface RoomList {
  reload(): Promise<void>;
  /** Something was changed here: a list that was asked for before does not know of it. */
  changed(): void;
  start(): void;
  stop(): void;
}

const ROOMS_EVERY = 120_000;

export function createRoomList(core: Core, joins: Joins): RoomList {
  const { api, desk, visible, state, set, setRooms } = core;
  let readingRooms: Promise<void> | null = null;
  /** Counts what was changed here. */
  let roomChanges = 0;
  let roomsTimer: ReturnType<typeof setInterval> | undefined;
  let roomsRetry: ReturnType<typeof setTimeout> | undefined;

  function reloadRooms(): Promise<void> {
    readingRooms ??= readRooms().finally(() => (readingRooms = null));
    return readingRooms;
  }

  async function readRooms(): Promise<void> {
    clearTimeout(roomsRetry);
    const all: Room[] = [];
    const changes = roomChanges;
    try {
      for (let more = true; more && core.running;) {
        const page = await api.rooms(all.at(-1)?.name ?? null, PAGE);
        all.push(...page.rooms);
        more = page.more && page.rooms.length > 0;
      }
    } catch (error) {
      if (!core.running) return;
      const status = state().rooms.status === "ready" ? "ready" : "failed";
      const refusal = asRefusal(error);
      setRooms({ ...state().rooms, status, problem: explain(refusal) });
      if (status === "failed") roomsRetry = setTimeout(() => void reloadRooms(), (refusal.retryAfter ?? 5) * 1000);
      return;
    }
    if (!core.running) return;
    if (changes !== roomChanges) return readRooms();
    let { unread } = state();
    for (const { name, joined: isMine, last_message_id } of all) {
      if (isMine && name !== state().open && !joins.has(name)) unread = learnLast(unread, name, last_message_id);
    }
    set({ rooms: { status: "ready", problem: null, all: byName(all) }, unread });
    const seen = desk.seen();
    for (const { name, joined: isMine, last_message_id } of all) {
      // The first time a room is met, what stands in it is not news.
      if (isMine && seen[name] === undefined) desk.keepSeen(name, last_message_id ?? 0);
    }
    void joins.others();
  }

  return {
    reload: reloadRooms,
    changed() {
      roomChanges++;
    },
    start() {
      roomsTimer = setInterval(() => {
        if (visible()) void reloadRooms();
      }, ROOMS_EVERY);
      void reloadRooms();
    },
    stop() {
      clearInterval(roomsTimer);
      clearTimeout(roomsRetry);
    },
  };
}
