import { isRoomName } from "../../domain/limits";
import { changeRoom, findRoom, withRoom } from "../../domain/rooms";
import { see, unreadIn } from "../../domain/unread";
import { createLive, type Live, type LiveHandlers } from "../../services/socket";
import { createCore } from "./core";
import { createHearing } from "./hearing";
import { createJoins } from "./joins";
import { KEEP, PAGE } from "./limits";
import { newView, type Chat, type ChatOptions } from "./model";
import { createReading } from "./reading";
import { createRoomList } from "./roomList";
import { createSeen } from "./seen";
import { createSending } from "./sending";

export { newView, type Chat, type ChatOptions, type ChatState, type RoomView } from "./model";

/** Puts the parts together: what the user does goes to them from here, what others do by way of the live connection. */
export function createChat(options: ChatOptions): Chat {
  const core = createCore(options);
  const { me, api, desk, visible, state, view, set, setView, advance, setRooms } = core;
  const live: Live = createLive(
    options.socket,
    {
      connection: (connection) => hearing.connection(connection),
      message: (message) => hearing.message(message),
      presence: (presence) => hearing.presence(presence),
      unauthenticated: options.onSessionEnd,
    },
    core.random,
  );
  const joins = createJoins(core, live);
  const seen = createSeen(core);
  const reading = createReading(core, live, joins, seen);
  const roomList = createRoomList(core, joins);
  const sending = createSending(core, live, seen, reading);
  const hearing: Omit<LiveHandlers, "unauthenticated"> = createHearing(core, {
    joins,
    seen,
    reading,
    roomList,
    sending,
  });

  const onOnline = () => live.network(true);
  const onOffline = () => live.network(false);
  const onVisibility = () => {
    if (!visible()) return;
    seen.noteSeen();
    void roomList.reload();
  };

  return {
    me,
    get: core.store.get,
    subscribe: core.store.subscribe,
    start() {
      core.running = true;
      window.addEventListener("online", onOnline);
      window.addEventListener("offline", onOffline);
      window.addEventListener("storage", sending.onStorage);
      document.addEventListener("visibilitychange", onVisibility);
      roomList.start();
      live.start();
      if (!navigator.onLine) live.network(false);
    },
    stop() {
      core.running = false;
      roomList.stop();
      sending.stop();
      reading.stop();
      window.removeEventListener("online", onOnline);
      window.removeEventListener("offline", onOffline);
      window.removeEventListener("storage", sending.onStorage);
      document.removeEventListener("visibilitychange", onVisibility);
      live.stop();
    },
    open(room) {
      const { open: before, views, unread } = state();
      if (room === before) return;
      if (before !== null && views[before]) advance(before, { type: "trim", keep: KEEP });
      seen.watch(true);
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
      reading.sync(room);
    },
    watch(end) {
      seen.watch(end);
      seen.noteSeen();
    },
    send: sending.send,
    retrySending: sending.retry,
    discard: sending.discard,
    loadOlder: reading.loadOlder,
    reload(room) {
      if (view(room).status === "failed") setView(room, { status: "loading", problem: null });
      reading.sync(room);
    },
    reloadRooms: roomList.reload,
    members: (room, after) => api.members(room, after, PAGE),
    async create(name, topic) {
      const room = await api.createRoom(name, topic);
      roomList.changed();
      setRooms(withRoom(state().rooms, room));
      set({ unread: see(state().unread, name, room.last_message_id ?? 0) });
    },
    async join(name) {
      await api.joinRoom(name);
      roomList.changed();
      const known = findRoom(state().rooms, name);
      setRooms(changeRoom(state().rooms, name, { joined: true, members: (known?.members ?? 0) + 1 }));
      set({ unread: see(state().unread, name, known?.last_message_id ?? 0) });
      setView(name, { ...newView });
      reading.sync(name);
    },
    async leave(name) {
      await api.leaveRoom(name);
      roomList.changed();
      if (joins.has(name)) void live.leave(name).catch(() => undefined);
      const known = findRoom(state().rooms, name);
      setRooms(changeRoom(state().rooms, name, { members: Math.max(0, (known?.members ?? 1) - 1) }));
      reading.becomeOutside(name);
    },
    reconnect: () => live.retry(),
    draft: desk.draft,
    keepDraft: desk.keepDraft,
    forgetUnsent: desk.forgetUnsent,
    lastRoom: desk.lastRoom,
  };
}
