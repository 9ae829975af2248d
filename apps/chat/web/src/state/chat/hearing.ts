import type { Connection } from "../../domain/connection";
import type { Message, User } from "../../domain/model";
import { changePresence } from "../../domain/presence";
import { changeRoom, findRoom } from "../../domain/rooms";
import { unconfirmed } from "../../domain/timeline";
import type { LiveHandlers } from "../../services/socket";
import type { Core } from "./core";
import type { Joins } from "./joins";
import type { Reading } from "./reading";
import type { RoomList } from "./roomList";
import type { Seen } from "./seen";
import type { Sending } from "./sending";

interface Parts {
  joins: Joins;
  seen: Seen;
  reading: Reading;
  roomList: RoomList;
  sending: Sending;
}

/** So many live messages without a page that confirms them; then one is read, also to find what got lost. */
const CONFIRM_AFTER = 50;
const HEARD = 5;

/** What comes of what the live connection says. */
export function createHearing(core: Core, parts: Parts): Omit<LiveHandlers, "unauthenticated"> {
  const { me, state, view, set, setView, advance, setRooms, post } = core;
  const { joins, seen, reading, roomList, sending } = parts;

  function onConnection(connection: Connection): void {
    const before = state().connection;
    set({ connection });
    if (connection.phase === "online" && before.phase !== "online") {
      joins.renew();
      post({ type: "connected" });
      const { open } = state();
      if (open !== null) reading.sync(open);
      sending.pump();
      void roomList.reload();
    } else if (connection.phase !== "online" && before.phase === "online") {
      joins.clear();
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
    seen.noteNew(room, [message]);
    const known = findRoom(state().rooms, room);
    if (known && (known.last_message_id ?? 0) < message.id) {
      setRooms(changeRoom(state().rooms, room, { last_message_id: message.id }));
    }
    if (room === state().open) {
      if (isNew && message.author?.id !== me.id) set({ heard: [...state().heard, message].slice(-HEARD) });
      seen.noteSeen();
      if (unconfirmed(view(room).timeline) >= CONFIRM_AFTER) reading.sync(room);
    }
  }

  function onPresence({ room, user, online }: { room: string; user: User; online: boolean }): void {
    if (state().views[room]) setView(room, { presence: changePresence(view(room).presence, user, online) });
  }

  return { connection: onConnection, message: onMessage, presence: onPresence };
}
