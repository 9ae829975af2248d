/** The way to the service that brings messages live. */
export interface Connection {
  readonly phase: "connecting" | "online" | "waiting" | "ended";
  /** Attempts in a row that failed; 0 also right after a connection was lost. */
  readonly attempt: number;
  /** Waiting: milliseconds until the next attempt. */
  readonly delay: number;
  /** The replica on the other side is about to stop, and this is when (in milliseconds after it) to come back. */
  readonly drain: number | null;
  /** What the browser believes about its network. */
  readonly network: boolean;
  /** There has been a connection before. */
  readonly before: boolean;
}

export type ConnectionEvent =
  | { type: "opening" }
  | { type: "opened" }
  | { type: "drain"; seconds: number }
  | { type: "lost"; random: number }
  | { type: "network"; up: boolean }
  /** The session is over; there will be no connection any more. */
  | { type: "ended" };

export const newConnection: Connection = {
  phase: "connecting",
  attempt: 0,
  delay: 0,
  drain: null,
  network: true,
  before: false,
};

const FIRST = 500;
const LONGEST = 15_000;

/** Milliseconds before the next attempt, with a random part, so that not everybody comes back at the same moment. */
export function backoff(attempt: number, random: number): number {
  return Math.round(Math.min(FIRST * 2 ** attempt, LONGEST) * (0.5 + random / 2));
}

export function connection(state: Connection, event: ConnectionEvent): Connection {
  if (state.phase === "ended") return state;
  switch (event.type) {
    case "opening":
      return { ...state, phase: "connecting", delay: 0 };
    case "opened":
      return { ...state, phase: "online", attempt: 0, delay: 0, drain: null, before: true, network: true };
    case "drain":
      return { ...state, drain: Math.max(0, event.seconds * 1000) };
    case "lost": {
      // The server has spread its clients already.
      const delay = state.drain ?? backoff(state.attempt, event.random);
      const attempt = state.drain === null && state.phase !== "online" ? state.attempt + 1 : state.attempt;
      return { ...state, phase: "waiting", attempt, delay, drain: null };
    }
    case "network":
      return { ...state, network: event.up };
    case "ended":
      return { ...state, phase: "ended", delay: 0 };
  }
}

export interface ConnectionWords {
  tone: "quiet" | "warning";
  text: string;
  /** Trying again at once makes sense. */
  retry: boolean;
}

/** null: nothing to say, all is well. */
export function describe(state: Connection): ConnectionWords | null {
  if (state.phase === "online" || state.phase === "ended") return null;
  if (!state.network) return { tone: "warning", text: "You are offline. What you write is sent later.", retry: false };
  if (!state.before && state.attempt === 0) return { tone: "quiet", text: "Connecting…", retry: false };
  if (state.attempt < 2) return { tone: "quiet", text: "Reconnecting…", retry: false };
  return { tone: "warning", text: "No connection. What you write is sent later.", retry: state.phase === "waiting" };
}
