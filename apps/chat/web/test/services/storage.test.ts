import { describe, expect, it } from "vitest";
import type { Unsent } from "../../src/domain/outbox";
import { chooseTheme, currentTheme, nextTheme } from "../../src/services/theme";
import { createDesk, createKeeper } from "../../src/services/storage";

const keeper = createKeeper(() => localStorage);
const entry = (clientId: string, at: number, more: Partial<Unsent> = {}): Unsent => ({
  clientId,
  room: "lobby",
  text: clientId,
  at,
  state: "waiting",
  problem: null,
  ...more,
});

describe("what a browser keeps", () => {
  it("unsent messages, in their order, per user", () => {
    const desk = createDesk(keeper, 1);
    desk.keepUnsent([], [entry("b", 2, { state: "sending" }), entry("a", 1)]);
    expect(desk.unsent().map(({ clientId, state }) => `${clientId} ${state}`)).toEqual(["a waiting", "b waiting"]);
    expect(createDesk(keeper, 2).unsent()).toEqual([]);
    expect(createDesk(keeper, 11).unsent()).toEqual([]);
  });

  it("those of another window, too", () => {
    const [one, other] = [createDesk(keeper, 1), createDesk(keeper, 1)];
    one.keepUnsent([], [entry("a", 1)]);
    other.keepUnsent([], [entry("b", 2)]);
    one.keepUnsent([entry("a", 1)], []);
    expect(other.unsent().map(({ clientId }) => clientId)).toEqual(["b"]);
    other.forgetUnsent();
    expect(one.unsent()).toEqual([]);
  });

  it("nothing that is not what it should be", () => {
    localStorage.setItem("chat.user.1.unsent.x", '{"clientId": 3}');
    localStorage.setItem("chat.user.1.unsent.y", "{");
    localStorage.setItem("chat.user.1.seen", '{"lobby": 4, "x": "y"}');
    const desk = createDesk(keeper, 1);
    expect(desk.unsent()).toEqual([]);
    expect(desk.seen()).toEqual({ lobby: 4 });
  });

  it("drafts, the last room, and what has been seen, which never goes back", () => {
    const desk = createDesk(keeper, 1);
    desk.keepDraft("lobby", "half a sen");
    desk.keepSeen("lobby", 5);
    desk.keepSeen("lobby", 3);
    desk.keepLastRoom("lobby");
    expect([desk.draft("lobby"), desk.draft("x"), desk.seen(), desk.lastRoom()]).toEqual([
      "half a sen",
      "",
      { lobby: 5 },
      "lobby",
    ]);
    desk.keepDraft("lobby", "");
    expect(desk.draft("lobby")).toBe("");
  });

  it("nothing at all where it refuses to, without a fuss", () => {
    const desk = createDesk(
      createKeeper(() => {
        throw new DOMException("denied", "SecurityError");
      }),
      1,
    );
    desk.keepUnsent([], [entry("a", 1)]);
    desk.keepSeen("lobby", 3);
    expect([desk.unsent(), desk.seen(), desk.lastRoom()]).toEqual([[], {}, null]);
  });

  it("the theme", () => {
    expect(currentTheme()).toBe("system");
    chooseTheme("dark");
    expect([currentTheme(), localStorage.getItem("chat.theme")]).toEqual(["dark", "dark"]);
    chooseTheme(nextTheme("dark"));
    expect([currentTheme(), localStorage.getItem("chat.theme")]).toEqual(["system", null]);
  });
});
