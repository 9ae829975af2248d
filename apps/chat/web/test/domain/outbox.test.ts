import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { emptyOutbox, outbox, sendable, unsentIn, type Outbox, type OutboxEvent } from "../../src/domain/outbox";
import { Refusal } from "../../src/domain/refusal";
import { message } from "../fakes";

const written = (clientId: string, room = "lobby"): OutboxEvent => ({
  type: "written",
  clientId,
  room,
  text: clientId,
  now: 1000,
});
const refused = (clientId: string, code: string, retry_after?: number): OutboxEvent => ({
  type: "refused",
  clientId,
  refusal: new Refusal({ code, message: "no", retry_after }),
  explanation: "No.",
  now: 5000,
  random: 0.5,
});
const after = (...events: OutboxEvent[]): Outbox => events.reduce(outbox, emptyOutbox);
const next = (state: Outbox, now = 5000) => sendable(state, now).map(({ clientId }) => clientId);

describe("the outbox", () => {
  it("sends one at a time in a room, in their order, and rooms side by side", () => {
    const state = after(written("a"), written("b"), written("c", "other"));
    expect(next(state)).toEqual(["a", "c"]);
    expect(next(outbox(state, { type: "sending", clientId: "a" }))).toEqual(["c"]);
    expect(next(after(written("a"), written("b"), { type: "delivered", clientId: "a", room: "lobby" }))).toEqual(["b"]);
  });

  it("gives every message a time of its own, also within one millisecond", () => {
    const times = after(written("a"), written("b"), written("c")).entries.map(({ at }) => at);
    expect(times).toEqual([1000, 1001, 1002]);
  });

  it("sends again under the same client_id after the connection was lost", () => {
    const state = after(written("a"), written("b"), { type: "sending", clientId: "a" }, { type: "disconnected" });
    expect(next(state)).toEqual(["a"]);
  });

  it("waits as long as the service asks for", () => {
    const state = after(written("a"), refused("a", "rate_limited", 3));
    expect(next(state, 7999)).toEqual([]);
    expect(next(state, 8000)).toEqual(["a"]);
    expect(state.entries[0]?.state).toBe("waiting");
  });

  it("tries again by itself what may pass, after longer and longer", () => {
    let state = after(written("a"));
    const waits = [0, 1, 2].map(() => (state = outbox(state, refused("a", "unavailable"))).hold!.until - 5000);
    expect(waits).toEqual([375, 750, 1500]);
    expect(next(outbox(state, { type: "connected" }))).toEqual(["a"]);
  });

  it("shows what the service will not take, and lets the others pass", () => {
    const state = after(written("a"), written("b"), refused("a", "invalid"));
    expect(state.entries[0]).toMatchObject({ state: "failed", problem: { code: "invalid", text: "No." } });
    expect(next(state)).toEqual(["b"]);
    expect(next(outbox(state, { type: "retry", clientId: "a", newClientId: "new" }))).toEqual(["a"]);
    expect(outbox(state, { type: "discard", clientId: "a" }).entries).toHaveLength(1);
  });

  it("takes another client_id where the old one belongs to another message", () => {
    const state = after(written("a"), refused("a", "client_id_reused"), {
      type: "retry",
      clientId: "a",
      newClientId: "new",
    });
    expect(next(state)).toEqual(["new"]);
  });

  it("keeps everything when the session ends", () => {
    expect(
      after(written("a"), { type: "sending", clientId: "a" }, refused("a", "unauthenticated")).entries[0],
    ).toMatchObject({
      state: "waiting",
    });
  });

  it("is not shown beside the message that it has become", () => {
    const state = after(written("a"), written("b"));
    expect(unsentIn(state, "lobby", [message(1, { client_id: "a" })]).map(({ clientId }) => clientId)).toEqual(["b"]);
  });
});

describe("whatever happens on the way", () => {
  const trouble = fc.constantFrom("write", "ack", "ack lost", "refuse", "limit", "drop", "reload");
  it("every message arrives once and in the order of its room", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(trouble, fc.nat({ max: 1 })), { maxLength: 80 }), (steps) => {
        const server = new Map<string, string[]>([
          ["r0", []],
          ["r1", []],
        ]); // as the service stores: once per client_id
        const all: { clientId: string; room: string }[] = [];
        let state = emptyOutbox;
        let now = 0;
        const send = (clientId: string, room: string) => {
          state = outbox(state, { type: "sending", clientId });
          const stored = server.get(room)!;
          if (!stored.includes(clientId)) stored.push(clientId);
        };
        const work = (what: string) => {
          now += 100_000;
          for (const { clientId, room } of sendable(state, now)) {
            if (what === "refuse") state = outbox(state, refused(clientId, "unavailable"));
            else if (what === "limit") state = outbox(state, refused(clientId, "rate_limited", 2));
            else {
              send(clientId, room);
              if (what === "ack") state = outbox(state, { type: "delivered", clientId, room });
              else if (what === "ack lost") state = outbox(state, refused(clientId, "timeout"));
            }
          }
        };
        for (const [what, which] of steps) {
          if (what === "write") {
            const one = { clientId: `c${all.length}`, room: `r${which}` };
            all.push(one);
            state = outbox(state, { type: "written", ...one, text: "x", now });
          } else if (what === "drop") state = outbox(state, { type: "disconnected" });
          else if (what === "reload") {
            const entries = outbox(state, { type: "disconnected" }).entries;
            state = outbox(emptyOutbox, { type: "restored", entries: [...entries].reverse() });
          } else work(what);
          for (const { clientId, room } of all) {
            const kept = state.entries.some((entry) => entry.clientId === clientId);
            expect(kept || server.get(room)!.includes(clientId)).toBe(true);
          }
        }
        for (let rounds = 0; rounds <= all.length; rounds++) work("ack");
        expect(state.entries).toEqual([]);
        for (const [room, stored] of server) {
          expect(stored).toEqual(all.filter((one) => one.room === room).map(({ clientId }) => clientId));
        }
      }),
      { numRuns: 300 },
    );
  });
});
