import { connection, newConnection, type Connection, type ConnectionEvent } from "../domain/connection";
import type { Message, NewMessage, User } from "../domain/model";
import { Refusal, type RefusalBody } from "../domain/refusal";

/** As much of a socket.io-client Socket as is used here. */
export interface RawSocket {
  readonly connected: boolean;
  connect(): unknown;
  disconnect(): unknown;
  on(event: string, listener: (...args: never[]) => void): unknown;
  timeout(milliseconds: number): { emitWithAck(event: string, payload: unknown): Promise<unknown> };
}

export interface Joined {
  room: string;
  last_id: number | null;
  online: User[];
}

export interface Delivered {
  id: number;
  created_at: string;
  created: boolean;
}

export interface Presence {
  room: string;
  user: User;
  online: boolean;
}

export interface LiveHandlers {
  connection(state: Connection): void;
  message(message: Message): void;
  presence(presence: Presence): void;
  /** The service says that there is no session (any more). */
  unauthenticated(): void;
}

/** The live connection: comes back by itself until it is stopped or the session ends. */
export interface Live {
  readonly connection: Connection;
  start(): void;
  stop(): void;
  /** Do not wait any longer. */
  retry(): void;
  network(up: boolean): void;
  join(room: string): Promise<Joined>;
  leave(room: string): Promise<void>;
  send(message: NewMessage): Promise<Delivered>;
}

const ANSWER_WITHIN = 10_000;

export function createLive(raw: RawSocket, handlers: LiveHandlers, random: () => number = Math.random): Live {
  let state = newConnection;
  let stopped = true;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function change(event: ConnectionEvent): void {
    const before = state;
    state = connection(state, event);
    if (state !== before && !stopped) handlers.connection(state);
  }

  function open(): void {
    clearTimeout(timer);
    if (stopped) return;
    change({ type: "opening" });
    raw.connect();
  }

  function lost(): void {
    if (stopped) return;
    change({ type: "lost", random: random() });
    if (state.phase !== "waiting") return;
    clearTimeout(timer);
    timer = setTimeout(open, state.delay);
  }

  function end(): void {
    if (stopped) return;
    clearTimeout(timer);
    change({ type: "ended" });
    stopped = true;
    raw.disconnect();
    handlers.unauthenticated();
  }

  raw.on("connect", () => {
    clearTimeout(timer);
    change({ type: "opened" });
  });
  raw.on("disconnect", () => lost());
  raw.on("connect_error", (error: Error & { data?: { code?: string } }) => {
    if (error.data?.code === "unauthenticated") end();
    else lost();
  });
  raw.on("drain", ({ reconnect_after }: { reconnect_after: number }) => {
    change({ type: "drain", seconds: reconnect_after });
  });
  raw.on("signed_out", () => end());
  raw.on("message", (message: Message) => {
    if (!stopped) handlers.message(message);
  });
  raw.on("presence", (presence: Presence) => {
    if (!stopped) handlers.presence(presence);
  });

  const isConnected = () => raw.connected;

  async function ask<T>(event: string, payload: unknown): Promise<T> {
    // socket.io would keep it and send it after the next connect, perhaps long after it was asked for.
    if (!isConnected()) throw new Refusal({ code: "disconnected", message: "not connected" });
    let answer: ({ ok: true } & T) | { ok: false; error: RefusalBody };
    try {
      answer = (await raw.timeout(ANSWER_WITHIN).emitWithAck(event, payload)) as typeof answer;
    } catch {
      throw new Refusal({ code: isConnected() ? "timeout" : "disconnected", message: "no answer" });
    }
    if (answer.ok) return answer;
    const refusal = new Refusal(answer.error);
    if (refusal.code === "unauthenticated") end();
    throw refusal;
  }

  return {
    get connection() {
      return state;
    },
    start() {
      if (!stopped) return;
      stopped = false;
      open();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      raw.disconnect();
    },
    retry() {
      if (state.phase === "waiting") open();
    },
    network(up) {
      change({ type: "network", up });
      // Otherwise it would be found out only when the server has been silent for too long.
      if (!up && raw.connected) raw.disconnect();
      // Not so after a drain: its delay is there to spread the clients.
      if (up && state.phase === "waiting" && state.attempt > 0) open();
    },
    join: (room) => ask<Joined>("join", { room }),
    async leave(room) {
      await ask("leave", { room });
    },
    send: (message) => ask<Delivered>("message", message),
  };
}
