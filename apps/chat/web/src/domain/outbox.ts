import { backoff } from "./connection";
import type { Message } from "./model";
import { isPassing, type Refusal } from "./refusal";

/** What the writer has sent and the service does not have yet. */
export interface Unsent {
  readonly clientId: string;
  readonly room: string;
  readonly text: string;
  /** When it was written, in milliseconds; no two of one writer are equal, and they go out in this order. */
  readonly at: number;
  readonly state: "waiting" | "sending" | "failed";
  /** Why it failed: the code, and words for people. */
  readonly problem: { readonly code: string; readonly text: string } | null;
}

export interface Outbox {
  readonly entries: readonly Unsent[];
  /** Nothing goes out before: the service asked for patience, or did not answer. */
  readonly hold: { readonly until: number; readonly why: "rate_limited" | "unavailable" } | null;
  /** Deliveries in a row that came to nothing. */
  readonly misses: number;
}

export type OutboxEvent =
  | { type: "restored"; entries: readonly Unsent[] }
  | { type: "written"; clientId: string; room: string; text: string; now: number }
  | { type: "sending"; clientId: string }
  /** The service has it: it said so, or the message itself arrived. */
  | { type: "delivered"; clientId: string; room: string }
  | { type: "refused"; clientId: string; refusal: Refusal; explanation: string; now: number; random: number }
  /** The connection is gone: nobody knows what became of those under way. They go out again under their client_id. */
  | { type: "disconnected" }
  | { type: "connected" }
  | { type: "retry"; clientId: string; newClientId: string }
  | { type: "discard"; clientId: string };

export const emptyOutbox: Outbox = { entries: [], hold: null, misses: 0 };

export function outbox(state: Outbox, event: OutboxEvent): Outbox {
  switch (event.type) {
    case "restored": {
      const known = new Set(state.entries.map(({ clientId }) => clientId));
      const added = event.entries.filter(({ clientId }) => !known.has(clientId));
      return added.length === 0
        ? state
        : { ...state, entries: [...state.entries, ...added].sort((a, b) => a.at - b.at) };
    }
    case "written": {
      const { clientId, room, text } = event;
      const at = Math.max(event.now, (state.entries.at(-1)?.at ?? 0) + 1);
      return { ...state, entries: [...state.entries, { clientId, room, text, at, state: "waiting", problem: null }] };
    }
    case "sending":
      return change({ ...state, hold: null }, event.clientId, (entry) => ({ ...entry, state: "sending" }));
    case "delivered":
      return without(
        { ...state, misses: 0 },
        (entry) => entry.clientId === event.clientId && entry.room === event.room,
      );
    case "refused":
      return refused(state, event);
    case "disconnected":
      return { ...state, entries: state.entries.map(waitingAgain) };
    case "connected":
      return state.hold?.why === "unavailable" ? { ...state, hold: null, misses: 0 } : state;
    case "retry":
      return change(state, event.clientId, (entry) => ({
        ...entry,
        // Another message has this client_id already: the same again would be refused for ever.
        clientId: entry.problem?.code === "client_id_reused" ? event.newClientId : entry.clientId,
        state: "waiting",
        problem: null,
      }));
    case "discard":
      return without(state, (entry) => entry.clientId === event.clientId);
  }
}

function refused(state: Outbox, event: Extract<OutboxEvent, { type: "refused" }>): Outbox {
  const { refusal, now } = event;
  const waiting = change(state, event.clientId, waitingAgain);
  if (refusal.code === "rate_limited") {
    return { ...waiting, hold: { until: now + (refusal.retryAfter ?? 1) * 1000, why: "rate_limited" } };
  }
  // The session's end is nobody's mistake, and a lost connection has its own event.
  if (refusal.code === "unauthenticated" || refusal.code === "disconnected") return waiting;
  if (isPassing(refusal.code)) {
    const until = now + (refusal.retryAfter ? refusal.retryAfter * 1000 : backoff(state.misses, event.random));
    return { ...waiting, hold: { until, why: "unavailable" }, misses: state.misses + 1 };
  }
  const problem = { code: refusal.code, text: event.explanation };
  return change(state, event.clientId, (entry) => ({ ...entry, state: "failed", problem }));
}

/** The next of every room: one at a time, so that they arrive in their order. Failed ones hold nobody up. */
export function sendable(state: Outbox, now: number): readonly Unsent[] {
  if (state.hold && state.hold.until > now) return [];
  const rooms = new Map<string, Unsent>();
  for (const entry of state.entries) {
    if (entry.state !== "failed" && !rooms.has(entry.room)) rooms.set(entry.room, entry);
    else if (entry.state === "sending") rooms.set(entry.room, entry);
  }
  return [...rooms.values()].filter((entry) => entry.state === "waiting");
}

/** Those of a room that are not among its messages: for a moment a message may be known both ways. */
export function unsentIn(state: Outbox, room: string, messages: readonly Message[]): readonly Unsent[] {
  const mine = state.entries.filter((entry) => entry.room === room);
  if (mine.length === 0) return mine;
  const arrived = new Set(messages.map((message) => message.client_id));
  return mine.filter((entry) => !arrived.has(entry.clientId));
}

function waitingAgain(entry: Unsent): Unsent {
  return entry.state === "sending" ? { ...entry, state: "waiting" } : entry;
}

function change(state: Outbox, clientId: string, to: (entry: Unsent) => Unsent): Outbox {
  return { ...state, entries: state.entries.map((entry) => (entry.clientId === clientId ? to(entry) : entry)) };
}

function without(state: Outbox, gone: (entry: Unsent) => boolean): Outbox {
  return state.entries.some(gone) ? { ...state, entries: state.entries.filter((entry) => !gone(entry)) } : state;
}
