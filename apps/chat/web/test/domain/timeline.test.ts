import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Message, MessagePage } from "../../src/domain/model";
import { emptyTimeline, hasOlder, timeline, unconfirmed, type Timeline } from "../../src/domain/timeline";
import { message } from "../fakes";

const ids = (state: Timeline) => state.messages.map(({ id }) => id);
const page = (messages: Message[], more: boolean): MessagePage => ({ messages, more });
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => message(from + index));

describe("a room's timeline", () => {
  it("puts pages and live messages together by id, each once", () => {
    let state = timeline(emptyTimeline, { type: "live", message: message(12) });
    state = timeline(state, { type: "newest", page: page(range(9, 11), true) });
    state = timeline(state, { type: "live", message: message(11) });
    state = timeline(state, { type: "older", before: 9, page: page(range(5, 8), true) });
    expect(ids(state)).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);
    expect(state).toMatchObject({ floor: 5, through: 11 });
    expect(hasOlder(state)).toBe(true);
    expect(unconfirmed(state)).toBe(1);
  });

  it("reads on below a gap: what arrives live does not count as read up to there", () => {
    let state = timeline(emptyTimeline, { type: "newest", page: page(range(1, 3), false) });
    state = timeline(state, { type: "live", message: message(9) });
    expect(state.through).toBe(3);
    state = timeline(state, { type: "newer", after: 3, page: page(range(4, 9), false) });
    expect(ids(state)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(state.through).toBe(9);
  });

  it("takes a page beyond a gap for no more than live messages", () => {
    let state = timeline(emptyTimeline, { type: "newest", page: page(range(1, 3), false) });
    state = timeline(state, { type: "newer", after: 6, page: page(range(7, 9), false) });
    expect(ids(state)).toEqual([1, 2, 3, 7, 8, 9]);
    expect(state.through).toBe(3);
  });

  it("drops answers to questions of long ago", () => {
    let state = timeline(emptyTimeline, { type: "newest", page: page(range(20, 22), true) });
    const stale = timeline(state, { type: "older", before: 10, page: page(range(5, 9), true) });
    expect(stale).toBe(state);
    state = timeline(state, { type: "live", message: message(4) });
    expect(ids(state)).toEqual([20, 21, 22]);
  });

  it("keeps the same object where nothing is new", () => {
    const state = timeline(emptyTimeline, { type: "newest", page: page(range(1, 3), false) });
    expect(timeline(state, { type: "live", message: message(2) })).toBe(state);
  });

  it("forgets old messages so that they can be read again", () => {
    let state = timeline(emptyTimeline, { type: "newest", page: page(range(1, 50), false) });
    state = timeline(state, { type: "trim", keep: 10 });
    expect(ids(state)).toEqual(range(41, 50).map(({ id }) => id));
    expect(hasOlder(state)).toBe(true);
    state = timeline(state, { type: "older", before: 41, page: page(range(1, 40), false) });
    expect(ids(state)).toHaveLength(50);
    expect(hasOlder(state)).toBe(false);
  });
});

/** Any history of a room and of its reader: the server appends, pages are read, live messages come in any order, again, or never. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("write" as const), count: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("live" as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("newest" as const), limit: fc.integer({ min: 1, max: 7 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("older" as const), limit: fc.integer({ min: 1, max: 7 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("newer" as const), limit: fc.integer({ min: 1, max: 7 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("again" as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("trim" as const), keep: fc.nat({ max: 10 }) }) },
);

describe("whatever comes in whatever order", () => {
  it("nothing is lost, doubled or out of order once it has been read to the end", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.array(fc.boolean(), { minLength: 20 }), (steps, gaps) => {
        const server: Message[] = [];
        const answers: Parameters<typeof timeline>[1][] = [];
        let state = emptyTimeline;
        let next = 1;
        let read = 0;
        const apply = (event: Parameters<typeof timeline>[1]) => {
          answers.push(event);
          state = timeline(state, event);
        };
        const newest = (limit: number) => {
          apply({ type: "newest", page: page(server.slice(-limit), server.length > limit) });
        };
        const older = (limit: number) => {
          const earlier = server.filter(({ id }) => id < state.floor);
          apply({ type: "older", before: state.floor, page: page(earlier.slice(-limit), earlier.length > limit) });
        };
        const newer = (limit: number) => {
          const later = server.filter(({ id }) => id > state.through);
          apply({ type: "newer", after: state.through, page: page(later.slice(0, limit), later.length > limit) });
          return later.length > limit;
        };
        for (const one of steps) {
          if (one.do === "write") {
            for (let index = 0; index < one.count; index++)
              server.push(message((next += gaps[next % gaps.length] ? 1 : 3)));
          } else if (one.do === "live" && server.length > 0) {
            apply({ type: "live", message: { ...server[one.which % server.length]! } });
          } else if (one.do === "newest") newest(one.limit);
          else if (one.do === "older" && hasOlder(state)) older(one.limit);
          else if (one.do === "newer" && state.loaded) newer(one.limit);
          else if (one.do === "again" && answers.length > 0)
            state = timeline(state, answers[one.which % answers.length]!);
          else if (one.do === "trim") state = timeline(state, { type: "trim", keep: one.keep });

          expect(state.through).toBeGreaterThanOrEqual(read);
          read = state.through;
          // At any time: ordered, each once, and without a hole between the floor and what was read.
          const known = ids(state);
          expect(known).toEqual([...new Set(known)].sort((a, b) => a - b));
          if (state.loaded) {
            const covered = server.filter(({ id }) => id >= state.floor && id <= state.through).map(({ id }) => id);
            expect(known.filter((id) => id <= state.through)).toEqual(covered);
          }
        }
        if (!state.loaded) newest(3);
        while (newer(5));
        while (hasOlder(state)) older(5);
        expect(ids(state)).toEqual(server.map(({ id }) => id));
      }),
      { numRuns: 400 },
    );
  });
});
