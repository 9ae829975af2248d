import { newConnection } from "../../domain/connection";
import { emptyOutbox, outbox, type OutboxEvent } from "../../domain/outbox";
import { noRooms, type Rooms } from "../../domain/rooms";
import { timeline, type TimelineEvent } from "../../domain/timeline";
import { restoreUnread } from "../../domain/unread";
import { createStore, type Store } from "../store";
import { newView, type ChatOptions, type ChatState, type RoomView } from "./model";

/** What is shown, and the ways to change it. Nothing changes before start() and after stop(). */
export interface Core extends Required<Pick<ChatOptions, "me" | "api" | "desk" | "now" | "random" | "visible">> {
  readonly store: Store<ChatState>;
  running: boolean;
  state(): ChatState;
  view(room: string): RoomView;
  set(change: Partial<ChatState>): void;
  setView(room: string, change: Partial<RoomView>): void;
  advance(room: string, event: TimelineEvent): void;
  setRooms(rooms: Rooms): void;
  post(event: OutboxEvent): void;
}

export function createCore(options: ChatOptions): Core {
  const { me, api, desk } = options;
  const now = options.now ?? Date.now;
  const random = options.random ?? Math.random;
  const visible = options.visible ?? (() => document.visibilityState === "visible");

  const store = createStore<ChatState>({
    me,
    connection: newConnection,
    rooms: noRooms,
    open: null,
    views: {},
    unread: restoreUnread(desk.seen()),
    outbox: outbox(emptyOutbox, { type: "restored", entries: desk.unsent() }),
    heard: [],
  });

  const state = () => store.get();
  const view = (room: string): RoomView => state().views[room] ?? newView;

  function set(change: Partial<ChatState>): void {
    if (core.running) store.set({ ...state(), ...change });
  }

  function setView(room: string, change: Partial<RoomView>): void {
    set({ views: { ...state().views, [room]: { ...view(room), ...change } } });
  }

  function advance(room: string, event: TimelineEvent): void {
    const before = view(room).timeline;
    const after = timeline(before, event);
    if (after !== before) setView(room, { timeline: after });
  }

  function setRooms(rooms: Rooms): void {
    set({ rooms });
  }

  function post(event: OutboxEvent): void {
    const before = state().outbox;
    const after = outbox(before, event);
    if (after === before || !core.running) return;
    desk.keepUnsent(before.entries, after.entries);
    set({ outbox: after });
  }

  const core: Core = {
    ...{ me, api, desk, now, random, visible, store },
    running: false,
    ...{ state, view, set, setView, advance, setRooms, post },
  };
  return core;
}
