import type { Message, MessagePage } from "./model";

/**
 * The messages of one room that are known here, by id, each once.
 *
 * Between `floor` and `through` nothing is missing, because pages of the history cover it. What arrives live is above
 * `through` as long as no page has confirmed it: after a lost connection there may be a gap below it. That is why
 * reading on starts at `through` and not at the newest message.
 */
export interface Timeline {
  readonly messages: readonly Message[];
  readonly loaded: boolean;
  /** Everything from this id on (up to `through`) is here; 0: from the room's beginning on. */
  readonly floor: number;
  readonly through: number;
}

export type TimelineEvent =
  /** The newest page of the history. */
  | { type: "newest"; page: MessagePage }
  /** What precedes an id. */
  | { type: "older"; before: number; page: MessagePage }
  /** What follows an id. */
  | { type: "newer"; after: number; page: MessagePage }
  /** From the socket, in any order and any number of times. */
  | { type: "live"; message: Message }
  /** Keep only the newest ones; the others can be read again. */
  | { type: "trim"; keep: number };

export const emptyTimeline: Timeline = { messages: [], loaded: false, floor: 0, through: 0 };

/** There are older messages to read. */
export function hasOlder(timeline: Timeline): boolean {
  return timeline.loaded && timeline.floor > 0;
}

/** How many live messages no page has confirmed yet. */
export function unconfirmed(timeline: Timeline): number {
  let count = 0;
  for (let index = timeline.messages.length - 1; index >= 0; index--) {
    const message = timeline.messages[index];
    if (!message || message.id <= timeline.through) break;
    count++;
  }
  return count;
}

export function timeline(state: Timeline, event: TimelineEvent): Timeline {
  switch (event.type) {
    case "newest":
      return newest(state, event.page);
    case "older":
      return older(state, event.before, event.page);
    case "newer":
      return newer(state, event.after, event.page);
    case "live":
      return add(state, [event.message]);
    case "trim":
      return trim(state, event.keep);
  }
}

function newest(state: Timeline, page: MessagePage): Timeline {
  const first = page.messages[0]?.id ?? 0;
  const last = page.messages.at(-1)?.id ?? 0;
  if (!state.loaded) {
    const floor = page.more ? first : 0;
    const start = { ...state, loaded: true, floor, through: last, messages: aboveFloor(state.messages, floor) };
    return add(start, page.messages);
  }
  // Only a page that touches what is known leaves no gap; otherwise it is not more than some live messages.
  const touches = !page.more || first <= state.through;
  return add({ ...state, through: touches ? Math.max(state.through, last) : state.through }, page.messages);
}

function older(state: Timeline, before: number, page: MessagePage): Timeline {
  if (!state.loaded || before < state.floor) return state; // an answer to a question of long ago
  const first = page.messages[0]?.id ?? before;
  const floor = page.more ? Math.min(state.floor, first) : 0;
  return add({ ...state, floor }, page.messages);
}

function newer(state: Timeline, after: number, page: MessagePage): Timeline {
  if (!state.loaded) return state;
  const last = page.messages.at(-1)?.id ?? after;
  const touches = after <= state.through && last > state.through;
  return add(touches ? { ...state, through: last } : state, page.messages);
}

function trim(state: Timeline, keep: number): Timeline {
  // Never more than what is confirmed: `through` has to stay above the floor.
  const cut = Math.min(state.messages.length - keep, state.messages.length - unconfirmed(state) - 1);
  const first = state.messages[cut];
  if (!state.loaded || cut <= 0 || !first) return state;
  return { ...state, messages: state.messages.slice(cut), floor: first.id };
}

function aboveFloor(messages: readonly Message[], floor: number): readonly Message[] {
  return messages.every(({ id }) => id >= floor) ? messages : messages.filter(({ id }) => id >= floor);
}

/** Below the floor a message would stand beside a gap; it comes with its page. */
function add(state: Timeline, incoming: readonly Message[]): Timeline {
  const last = state.messages.at(-1)?.id ?? -1;
  let known: Set<number> | null = null;
  const fresh: Message[] = [];
  for (const message of incoming) {
    if (message.id < state.floor) continue;
    if (message.id <= last || fresh.length > 0) {
      known ??= new Set(state.messages.map(({ id }) => id));
      if (known.has(message.id)) continue;
      known.add(message.id);
    }
    fresh.push(message);
  }
  if (fresh.length === 0) return state;
  const messages = [...state.messages, ...fresh];
  if (fresh.some(({ id }, index) => id < (fresh[index - 1]?.id ?? last))) messages.sort((a, b) => a.id - b.id);
  return { ...state, messages };
}
