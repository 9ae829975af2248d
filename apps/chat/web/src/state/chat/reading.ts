import { backoff } from "../../domain/connection";
import { asRefusal, explain } from "../../domain/refusal";
import { changeRoom, findRoom, withRoom, withoutRoom } from "../../domain/rooms";
import { hasOlder } from "../../domain/timeline";
import { learnLast } from "../../domain/unread";
import type { Live } from "../../services/socket";
import type { Core } from "./core";
import type { Joins } from "./joins";
import { FIRST_PAGE, PAGE } from "./limits";
import { newView } from "./model";
import type { Seen } from "./seen";

/** Reads rooms, and keeps what is shown of them free of holes. */
export interface Reading {
  sync(room: string): void;
  loadOlder(room: string): Promise<void>;
  becomeOutside(room: string): void;
  stop(): void;
}

interface SyncTask {
  running: boolean;
  /** Something has happened since it began. */
  again: boolean;
  /** Failures in a row. */
  attempt: number;
  timer?: ReturnType<typeof setTimeout>;
}

export function createReading(core: Core, live: Live, joins: Joins, seen: Seen): Reading {
  const { me, api, random, state, view, set, setView, advance, setRooms, post } = core;
  const syncs = new Map<string, SyncTask>();

  /** Brings a room up to date. Asked for again while it does so, it does it again afterwards. */
  function sync(room: string): void {
    const task: SyncTask = syncs.get(room) ?? { again: false, attempt: 0, running: false };
    syncs.set(room, task);
    task.again = true;
    clearTimeout(task.timer);
    if (!task.running) void runSync(room, task);
  }

  async function runSync(room: string, task: SyncTask): Promise<void> {
    task.running = true;
    try {
      while (task.again && core.running) {
        task.again = false;
        await syncOnce(room);
      }
      task.attempt = 0;
    } catch (error) {
      const refusal = asRefusal(error);
      if (!core.running) return;
      if (refusal.code === "not_member") {
        becomeOutside(room);
      } else if (refusal.code === "not_found") {
        setRooms(withoutRoom(state().rooms, room));
        setView(room, { status: "missing", problem: null });
      } else if (refusal.code !== "unauthenticated") {
        setView(room, { status: view(room).timeline.loaded ? "ready" : "failed", problem: explain(refusal) });
        const wait = refusal.retryAfter ? refusal.retryAfter * 1000 : backoff(task.attempt++ + 1, random());
        task.timer = setTimeout(() => {
          if (core.running && state().open === room) sync(room);
        }, wait);
      }
    } finally {
      task.running = false;
    }
  }

  async function syncOnce(room: string): Promise<void> {
    let known = findRoom(state().rooms, room);
    if (!known) {
      known = await api.room(room);
      setRooms(withRoom(state().rooms, known));
    }
    if (!known.joined) {
      becomeOutside(room);
      return;
    }
    if (!state().unread[room]) set({ unread: learnLast(state().unread, room, known.last_message_id) });
    // Join first and read second: what is written in between comes twice, and never not at all.
    if (live.connection.phase === "online" && !joins.has(room)) {
      try {
        await joins.join(room);
      } catch (error) {
        // Without a live connection the history can be read all the same; the next connection joins.
        if (asRefusal(error).code !== "disconnected") throw error;
      }
    }
    if (!view(room).timeline.loaded) {
      const page = await api.messages(room, {}, FIRST_PAGE);
      advance(room, { type: "newest", page });
      seen.noteNew(room, page.messages);
    } else {
      for (let more = true; more && core.running;) {
        const after = view(room).timeline.through;
        const page = await api.messages(room, { after }, PAGE);
        advance(room, { type: "newer", after, page });
        seen.noteNew(room, page.messages);
        for (const { client_id, author } of page.messages) {
          if (client_id !== null && author?.id === me.id) post({ type: "delivered", clientId: client_id, room });
        }
        more = page.more && page.messages.length > 0;
      }
    }
    setView(room, { status: "ready", problem: null });
    seen.noteSeen();
  }

  function becomeOutside(room: string): void {
    joins.forget(room);
    setRooms(changeRoom(state().rooms, room, { joined: false }));
    setView(room, { ...newView, status: "outside" });
  }

  async function loadOlder(room: string): Promise<void> {
    const { timeline: known, older } = view(room);
    const before = known.floor;
    if (!hasOlder(known) || older === "loading") return;
    setView(room, { older: "loading" });
    try {
      const page = await api.messages(room, { before }, FIRST_PAGE);
      advance(room, { type: "older", before, page });
      setView(room, { older: "idle" });
    } catch {
      setView(room, { older: "failed" });
    }
  }

  return {
    sync,
    loadOlder,
    becomeOutside,
    stop() {
      for (const { timer } of syncs.values()) clearTimeout(timer);
    },
  };
}
