import { backoff, newConnection, type Connection } from "../domain/connection";
import { cleanText, isRoomName } from "../domain/limits";
import type { Member, Message, Room, User } from "../domain/model";
import { emptyOutbox, outbox, sendable, type Outbox, type OutboxEvent, type Unsent } from "../domain/outbox";
import { arrived, changePresence, type Presence } from "../domain/presence";
import { asRefusal, explain } from "../domain/refusal";
import { changeRoom, findRoom, noRooms, withRoom, withoutRoom, byName, type Rooms } from "../domain/rooms";
import { emptyTimeline, hasOlder, timeline, unconfirmed, type Timeline, type TimelineEvent } from "../domain/timeline";
import { hear, learnLast, restoreUnread, see, unreadIn, type Unread } from "../domain/unread";
import type { Api } from "../services/api";
import { newClientId } from "../services/identifiers";
import { createLive, type Live, type RawSocket } from "../services/socket";
import type { Desk } from "../services/storage";
import { createStore, type Store } from "./store";

export interface RoomView {
  readonly status: "loading" | "ready" | "failed" | "outside" | "missing";
  /** Why it failed, or why what is shown may be out of date; it is tried again by itself. */
  readonly problem: string | null;
  readonly timeline: Timeline;
  readonly older: "idle" | "loading" | "failed";
  readonly presence: Presence;
  /** The last message seen before the newer ones came. */
  readonly newFrom: number | null;
}

export interface ChatState {
  readonly me: User;
  readonly connection: Connection;
  readonly rooms: Rooms;
  /** The room of the address. */
  readonly open: string | null;
  readonly views: Readonly<Record<string, RoomView>>;
  readonly unread: Unread;
  readonly outbox: Outbox;
  /** What others just wrote in the open room, to be read out. */
  readonly heard: readonly Message[];
}

export const newView: RoomView = {
  status: "loading",
  problem: null,
  timeline: emptyTimeline,
  older: "idle",
  presence: null,
  newFrom: null,
};

export interface ChatOptions {
  me: User;
  api: Api;
  socket: RawSocket;
  desk: Desk;
  onSessionEnd: () => void;
  now?: () => number;
  random?: () => number;
  visible?: () => boolean;
}

export interface Chat extends Store<ChatState> {
  readonly me: User;
  start(): void;
  stop(): void;
  /** null: no room. */
  open(room: string | null): void;
  /** Whether the newest message of the open room is in view. */
  watch(atEnd: boolean): void;
  send(room: string, text: string): void;
  retrySending(clientId: string): void;
  discard(clientId: string): void;
  loadOlder(room: string): Promise<void>;
  reload(room: string): void;
  reloadRooms(): Promise<void>;
  members(room: string, after: string | null): Promise<{ members: Member[]; more: boolean }>;
  create(room: string, topic: string): Promise<void>;
  join(room: string): Promise<void>;
  leave(room: string): Promise<void>;
  reconnect(): void;
  draft(room: string): string;
  keepDraft(room: string, text: string): void;
  forgetUnsent(): void;
  lastRoom(): string | null;
}

interface SyncTask {
  running: boolean;
  /** Something has happened since it began. */
  again: boolean;
  /** Failures in a row. */
  attempt: number;
  timer?: ReturnType<typeof setTimeout>;
}

const FIRST_PAGE = 50;
const PAGE = 200;
/** So many live messages without a page that confirms them; then one is read, also to find what got lost. */
const CONFIRM_AFTER = 50;
const KEEP = 200;
const TOO_MANY = 600;
const LIVE_ROOMS = 100;
const ROOMS_EVERY = 120_000;
const HEARD = 5;

export function createChat(options: ChatOptions): Chat {
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

  let running = false;
  let atEnd = true;
  /** Counts connections: what was joined on an earlier one does not hold any more. */
  let visit = 0;
  let joined = new Set<string>();
  let joiningOthers = false;
  let readingRooms: Promise<void> | null = null;
  /** Counts what was changed here: a list that was asked for before does not know of it. */
  let roomChanges = 0;
  let roomsTimer: ReturnType<typeof setInterval> | undefined;
  let pumpTimer: ReturnType<typeof setTimeout> | undefined;
  let roomsRetry: ReturnType<typeof setTimeout> | undefined;
  const syncs = new Map<string, SyncTask>();

  const live: Live = createLive(
    options.socket,
    { connection: onConnection, message: onMessage, presence: onPresence, unauthenticated: options.onSessionEnd },
    random,
  );

  // State -------------------------------------------------------------------------------------------------------------

  const state = () => store.get();
  const view = (room: string): RoomView => state().views[room] ?? newView;

  function set(change: Partial<ChatState>): void {
    if (running) store.set({ ...state(), ...change });
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
    if (after === before || !running) return;
    desk.keepUnsent(before.entries, after.entries);
    set({ outbox: after });
  }

  // What has been seen ------------------------------------------------------------------------------------------------

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

  // Live --------------------------------------------------------------------------------------------------------------

  function onConnection(connection: Connection): void {
    const before = state().connection;
    set({ connection });
    if (connection.phase === "online" && before.phase !== "online") {
      visit++;
      joined = new Set();
      post({ type: "connected" });
      const { open } = state();
      if (open !== null) sync(open);
      pump();
      void reloadRooms();
    } else if (connection.phase !== "online" && before.phase === "online") {
      joined = new Set();
      post({ type: "disconnected" });
    }
  }

  function onMessage(message: Message): void {
    const { room } = message;
    const isNew = !view(room).timeline.messages.some(({ id }) => id === message.id);
    // Rooms that are not open are read on when they are opened.
    if (room === state().open) advance(room, { type: "live", message });
    if (message.client_id !== null && message.author?.id === me.id) {
      post({ type: "delivered", clientId: message.client_id, room });
    }
    noteNew(room, [message]);
    const known = findRoom(state().rooms, room);
    if (known && (known.last_message_id ?? 0) < message.id) {
      setRooms(changeRoom(state().rooms, room, { last_message_id: message.id }));
    }
    if (room === state().open) {
      if (isNew && message.author?.id !== me.id) set({ heard: [...state().heard, message].slice(-HEARD) });
      noteSeen();
      if (unconfirmed(view(room).timeline) >= CONFIRM_AFTER) sync(room);
    }
  }

  function onPresence({ room, user, online }: { room: string; user: User; online: boolean }): void {
    if (state().views[room]) setView(room, { presence: changePresence(view(room).presence, user, online) });
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

  async function joinLive(room: string) {
    const mine = visit;
    const answer = await live.join(room);
    if (mine === visit) {
      joined.add(room);
      setView(room, { presence: arrived(answer.online) });
    }
    return answer;
  }

  // Reading a room ----------------------------------------------------------------------------------------------------

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
      while (task.again && running) {
        task.again = false;
        await syncOnce(room);
      }
      task.attempt = 0;
    } catch (error) {
      const refusal = asRefusal(error);
      if (!running) return;
      if (refusal.code === "not_member") {
        becomeOutside(room);
      } else if (refusal.code === "not_found") {
        setRooms(withoutRoom(state().rooms, room));
        setView(room, { status: "missing", problem: null });
      } else if (refusal.code !== "unauthenticated") {
        setView(room, { status: view(room).timeline.loaded ? "ready" : "failed", problem: explain(refusal) });
        const wait = refusal.retryAfter ? refusal.retryAfter * 1000 : backoff(task.attempt++ + 1, random());
        task.timer = setTimeout(() => {
          if (running && state().open === room) sync(room);
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
    if (live.connection.phase === "online" && !joined.has(room)) {
      try {
        await joinLive(room);
      } catch (error) {
        // Without a live connection the history can be read all the same; the next connection joins.
        if (asRefusal(error).code !== "disconnected") throw error;
      }
    }
    if (!view(room).timeline.loaded) {
      const page = await api.messages(room, {}, FIRST_PAGE);
      advance(room, { type: "newest", page });
      noteNew(room, page.messages);
    } else {
      for (let more = true; more && running;) {
        const after = view(room).timeline.through;
        const page = await api.messages(room, { after }, PAGE);
        advance(room, { type: "newer", after, page });
        noteNew(room, page.messages);
        for (const { client_id, author } of page.messages) {
          if (client_id !== null && author?.id === me.id) post({ type: "delivered", clientId: client_id, room });
        }
        more = page.more && page.messages.length > 0;
      }
    }
    setView(room, { status: "ready", problem: null });
    noteSeen();
  }

  function becomeOutside(room: string): void {
    joined.delete(room);
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

  // The list of rooms -------------------------------------------------------------------------------------------------

  function reloadRooms(): Promise<void> {
    readingRooms ??= readRooms().finally(() => (readingRooms = null));
    return readingRooms;
  }

  async function readRooms(): Promise<void> {
    clearTimeout(roomsRetry);
    const all: Room[] = [];
    const changes = roomChanges;
    try {
      for (let more = true; more && running;) {
        const page = await api.rooms(all.at(-1)?.name ?? null, PAGE);
        all.push(...page.rooms);
        more = page.more && page.rooms.length > 0;
      }
    } catch (error) {
      if (!running) return;
      const status = state().rooms.status === "ready" ? "ready" : "failed";
      const refusal = asRefusal(error);
      setRooms({ ...state().rooms, status, problem: explain(refusal) });
      if (status === "failed") roomsRetry = setTimeout(() => void reloadRooms(), (refusal.retryAfter ?? 5) * 1000);
      return;
    }
    if (!running) return;
    if (changes !== roomChanges) return readRooms();
    let { unread } = state();
    for (const { name, joined: isMine, last_message_id } of all) {
      if (isMine && name !== state().open && !joined.has(name)) unread = learnLast(unread, name, last_message_id);
    }
    set({ rooms: { status: "ready", problem: null, all: byName(all) }, unread });
    const seen = desk.seen();
    for (const { name, joined: isMine, last_message_id } of all) {
      // The first time a room is met, what stands in it is not news.
      if (isMine && seen[name] === undefined) desk.keepSeen(name, last_message_id ?? 0);
    }
    void joinOthers();
  }

  // Sending -----------------------------------------------------------------------------------------------------------

  function pump(): void {
    clearTimeout(pumpTimer);
    if (!running || live.connection.phase !== "online") return;
    const { hold } = state().outbox;
    if (hold && hold.until > now()) {
      pumpTimer = setTimeout(pump, hold.until - now());
      return;
    }
    for (const entry of sendable(state().outbox, now())) void deliver(entry);
  }

  async function deliver(entry: Unsent): Promise<void> {
    const { clientId, room, text } = entry;
    post({ type: "sending", clientId });
    try {
      const { id, created_at } = await live.send({ room, text, client_id: clientId });
      const message: Message = { id, room, client_id: clientId, text, author: me, created_at };
      if (state().views[room]) advance(room, { type: "live", message });
      post({ type: "delivered", clientId, room });
      noteSeen();
    } catch (error) {
      const refusal = asRefusal(error);
      post({ type: "refused", clientId, refusal, explanation: explain(refusal), now: now(), random: random() });
      if (refusal.code === "not_member") becomeOutside(room);
    }
    pump();
  }

  function onStorage(event: StorageEvent): void {
    // Another window delivered or discarded it.
    const clientId = event.key !== null && event.newValue === null ? desk.unsentKey(event.key) : null;
    const entry = state().outbox.entries.find((other) => other.clientId === clientId);
    if (entry && entry.state !== "sending") post({ type: "discard", clientId: entry.clientId });
  }

  // The browser -------------------------------------------------------------------------------------------------------

  const onOnline = () => live.network(true);
  const onOffline = () => live.network(false);
  const onVisibility = () => {
    if (!visible()) return;
    noteSeen();
    void reloadRooms();
  };

  return {
    me,
    get: store.get,
    subscribe: store.subscribe,
    start() {
      running = true;
      window.addEventListener("online", onOnline);
      window.addEventListener("offline", onOffline);
      window.addEventListener("storage", onStorage);
      document.addEventListener("visibilitychange", onVisibility);
      roomsTimer = setInterval(() => {
        if (visible()) void reloadRooms();
      }, ROOMS_EVERY);
      void reloadRooms();
      live.start();
      if (!navigator.onLine) live.network(false);
    },
    stop() {
      running = false;
      clearInterval(roomsTimer);
      clearTimeout(pumpTimer);
      clearTimeout(roomsRetry);
      for (const { timer } of syncs.values()) clearTimeout(timer);
      window.removeEventListener("online", onOnline);
      window.removeEventListener("offline", onOffline);
      window.removeEventListener("storage", onStorage);
      document.removeEventListener("visibilitychange", onVisibility);
      live.stop();
    },
    open(room) {
      const { open: before, views, unread } = state();
      if (room === before) return;
      if (before !== null && views[before]) advance(before, { type: "trim", keep: KEEP });
      atEnd = true;
      set({ open: room, heard: [] });
      if (room === null) return;
      if (!isRoomName(room)) {
        setView(room, { ...newView, status: "missing" });
        return;
      }
      const { count, more } = unreadIn(unread, room);
      setView(room, { newFrom: count > 0 || more ? (unread[room]?.seen ?? null) : null });
      if (["failed", "missing", "outside"].includes(view(room).status))
        setView(room, { status: "loading", problem: null });
      desk.keepLastRoom(room);
      sync(room);
    },
    watch(end) {
      atEnd = end;
      noteSeen();
    },
    send(room, text) {
      const clean = cleanText(text);
      if (!clean) return;
      setView(room, { newFrom: null });
      post({ type: "written", clientId: newClientId(), room, text: clean, now: now() });
      pump();
    },
    retrySending(clientId) {
      post({ type: "retry", clientId, newClientId: newClientId() });
      pump();
    },
    discard: (clientId) => post({ type: "discard", clientId }),
    loadOlder,
    reload(room) {
      if (view(room).status === "failed") setView(room, { status: "loading", problem: null });
      sync(room);
    },
    reloadRooms,
    members: (room, after) => api.members(room, after, PAGE),
    async create(name, topic) {
      const room = await api.createRoom(name, topic);
      roomChanges++;
      setRooms(withRoom(state().rooms, room));
      set({ unread: see(state().unread, name, room.last_message_id ?? 0) });
    },
    async join(name) {
      await api.joinRoom(name);
      roomChanges++;
      const known = findRoom(state().rooms, name);
      setRooms(changeRoom(state().rooms, name, { joined: true, members: (known?.members ?? 0) + 1 }));
      set({ unread: see(state().unread, name, known?.last_message_id ?? 0) });
      setView(name, { ...newView });
      sync(name);
    },
    async leave(name) {
      await api.leaveRoom(name);
      roomChanges++;
      if (joined.has(name)) void live.leave(name).catch(() => undefined);
      const known = findRoom(state().rooms, name);
      setRooms(changeRoom(state().rooms, name, { members: Math.max(0, (known?.members ?? 1) - 1) }));
      becomeOutside(name);
    },
    reconnect: () => live.retry(),
    draft: desk.draft,
    keepDraft: desk.keepDraft,
    forgetUnsent: desk.forgetUnsent,
    lastRoom: desk.lastRoom,
  };
}
