import { vi } from "vitest";
import type { Message, NewMessage, Room, User } from "../src/domain/model";
import { Refusal } from "../src/domain/refusal";
import type { Api } from "../src/services/api";
import type { RawSocket } from "../src/services/socket";

export const anna: User = { id: 1, name: "anna" };
export const ben: User = { id: 2, name: "ben" };

export function message(id: number, more: Partial<Message> = {}): Message {
  return {
    id,
    room: "lobby",
    client_id: `client-of-${id}`,
    text: `message ${id}`,
    author: ben,
    created_at: new Date(Date.UTC(2026, 10, 20, 12, 0, id)).toISOString(),
    ...more,
  };
}

export function room(name: string, more: Partial<Room> = {}): Room {
  return { name, topic: "", joined: true, members: 2, last_message_id: null, ...more };
}

/** A socket of socket.io-client that goes nowhere. */
export class FakeSocket implements RawSocket {
  connected = false;
  connects = 0;
  readonly emitted: { event: string; payload: unknown }[] = [];
  /** How emits are answered; a promise that does not settle is an answer that does not come. */
  answer: (event: string, payload: never) => unknown = () => ({ ok: true });
  /** Whether connect() succeeds at once. */
  reachable = true;
  private readonly listeners = new Map<string, ((...args: never[]) => void)[]>();
  private pending: (() => void)[] = [];

  connect(): void {
    this.connects++;
    if (this.reachable) this.open();
    else this.receive("connect_error", new Error("no way"));
  }

  open(): void {
    this.connected = true;
    this.receive("connect");
  }

  disconnect(): void {
    if (this.connected) this.drop("io client disconnect");
  }

  drop(reason = "transport close"): void {
    this.connected = false;
    for (const reject of this.pending.splice(0)) reject();
    this.receive("disconnect", reason);
  }

  on(event: string, listener: (...args: never[]) => void): void {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener]);
  }

  receive(event: string, payload?: unknown): void {
    for (const listener of this.listeners.get(event) ?? []) listener(payload as never);
  }

  timeout(milliseconds: number) {
    return {
      emitWithAck: (event: string, payload: unknown) => {
        this.emitted.push({ event, payload });
        return new Promise<unknown>((resolve, reject) => {
          this.pending.push(() => reject(new Error("disconnected")));
          setTimeout(() => reject(new Error("timeout")), milliseconds);
          void Promise.resolve()
            .then(() => this.answer(event, payload as never))
            .then(resolve, reject);
        });
      },
    };
  }

  sent(event: string): unknown[] {
    return this.emitted.filter((one) => one.event === event).map(({ payload }) => payload);
  }
}

/** The services as far as the page can tell: rooms, messages, one FakeSocket on which they arrive. */
export class FakeService {
  readonly socket = new FakeSocket();
  readonly rooms = new Map<string, Room>();
  readonly messages = new Map<string, Message[]>();
  readonly api: { [K in keyof Api]: ReturnType<typeof vi.fn<Api[K]>> };
  online: User[] = [anna];
  /** Stores messages, but the answer gets lost. */
  mute = false;
  private lastId = 0;

  constructor(...rooms: Room[]) {
    for (const one of rooms) this.rooms.set(one.name, one);
    this.socket.answer = (event, payload: { room: string }) => this.acknowledge(event, payload);
    this.api = {
      session: vi.fn<Api["session"]>(async () => ({ user: anna, csrf_token: "t" })),
      signIn: vi.fn<Api["signIn"]>(async () => ({ user: anna, csrf_token: "t" })),
      signUp: vi.fn<Api["signUp"]>(async () => ({ user: anna, csrf_token: "t" })),
      signOut: vi.fn<Api["signOut"]>(async () => undefined),
      rooms: vi.fn<Api["rooms"]>(async () => ({
        rooms: [...this.rooms.values()].map((one) => this.shape(one)),
        more: false,
      })),
      room: vi.fn<Api["room"]>(async (name) => this.shape(this.find(name, false))),
      createRoom: vi.fn<Api["createRoom"]>(async (name, topic) => {
        if (this.rooms.has(name)) throw new Refusal({ code: "name_taken", message: "taken" });
        this.rooms.set(name, room(name, { topic, members: 1 }));
        return this.shape(this.find(name));
      }),
      joinRoom: vi.fn<Api["joinRoom"]>(async (name) => void (this.find(name, false).joined = true)),
      leaveRoom: vi.fn<Api["leaveRoom"]>(async (name) => void (this.find(name, false).joined = false)),
      members: vi.fn<Api["members"]>(async (name) => {
        this.find(name);
        return { members: [anna, ben].map((user) => ({ ...user, online: user.id === 1 })), more: false };
      }),
      messages: vi.fn<Api["messages"]>(async (name, { before, after }, limit) => {
        this.find(name);
        const all = this.messages.get(name) ?? [];
        if (after !== undefined) {
          const later = all.filter(({ id }) => id > after);
          return { messages: later.slice(0, limit), more: later.length > limit };
        }
        const earlier = all.filter(({ id }) => id < (before ?? Infinity));
        return { messages: earlier.slice(-limit), more: earlier.length > limit };
      }),
    };
  }

  /** Somebody writes. `arrives: false`: nobody hears of it. */
  write(text: string, { to = "lobby", author = ben, client_id = `client-${text}`, arrives = true } = {}): Message {
    const written = message(++this.lastId, { room: to, text, author, client_id });
    this.messages.set(to, [...(this.messages.get(to) ?? []), written]);
    if (arrives && this.socket.connected) this.socket.receive("message", written);
    return written;
  }

  private shape(one: Room): Room {
    return { ...one, last_message_id: this.messages.get(one.name)?.at(-1)?.id ?? null };
  }

  private find(name: string, members = true): Room {
    const found = this.rooms.get(name);
    if (!found) throw new Refusal({ code: "not_found", message: "there is no such room" });
    if (members && !found.joined) throw new Refusal({ code: "not_member", message: "members only" });
    return found;
  }

  private acknowledge(event: string, payload: { room: string }): unknown {
    try {
      this.find(payload.room);
    } catch (error) {
      return { ok: false, error: { code: (error as Refusal).code, message: "no" } };
    }
    const all = this.messages.get(payload.room) ?? [];
    if (event === "join") return { ok: true, room: payload.room, last_id: all.at(-1)?.id ?? null, online: this.online };
    if (event !== "message") return { ok: true, room: payload.room };
    const { room: to, text, client_id } = payload as NewMessage;
    const known = all.find((one) => one.client_id === client_id);
    const stored = known ?? this.write(text, { to, author: anna, client_id, arrives: !this.mute });
    if (this.mute) return new Promise(() => undefined);
    return { ok: true, id: stored.id, created_at: stored.created_at, created: !known };
  }
}
