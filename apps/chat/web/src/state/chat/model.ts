import type { Connection } from "../../domain/connection";
import type { Member, Message, User } from "../../domain/model";
import type { Outbox } from "../../domain/outbox";
import type { Presence } from "../../domain/presence";
import type { Rooms } from "../../domain/rooms";
import { emptyTimeline, type Timeline } from "../../domain/timeline";
import type { Unread } from "../../domain/unread";
import type { Api } from "../../services/api";
import type { RawSocket } from "../../services/socket";
import type { Desk } from "../../services/storage";
import type { Store } from "../store";

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
