import type { Message } from "../../domain/model";
import { hear, see, unreadIn } from "../../domain/unread";
import type { Core } from "./core";
import { KEEP } from "./limits";

/** What the user has seen, and what is new to them. */
export interface Seen {
  noteNew(room: string, messages: readonly Message[]): void;
  noteSeen(): void;
  /** Whether the newest message of the open room is in view. */
  watch(end: boolean): void;
}

const TOO_MANY = 600;

export function createSeen({ me, desk, visible, state, view, set, setView, advance }: Core): Seen {
  let atEnd = true;

  function noteNew(room: string, messages: readonly Message[]): void {
    const before = state().unread;
    const unread = hear(before, room, messages, me);
    if (unread === before) return;
    const { count, more } = unreadIn(before, room);
    const line = view(room).newFrom === null && count === 0 && !more && !isWatched(room);
    set({ unread });
    if (line && state().views[room]) setView(room, { newFrom: before[room]?.seen ?? 0 });
  }

  function isWatched(room: string): boolean {
    return room === state().open && atEnd && visible();
  }

  function noteSeen(): void {
    const { open } = state();
    if (open === null || !isWatched(open)) return;
    const last = view(open).timeline.messages.at(-1)?.id;
    if (last === undefined || view(open).status !== "ready") return;
    const unread = see(state().unread, open, last);
    if (unread !== state().unread) {
      set({ unread });
      desk.keepSeen(open, last);
    }
    if (view(open).timeline.messages.length > TOO_MANY) advance(open, { type: "trim", keep: KEEP });
  }

  return {
    noteNew,
    noteSeen,
    watch(end) {
      atEnd = end;
    },
  };
}
