import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  backoff,
  connection,
  describe as words,
  newConnection,
  type ConnectionEvent,
} from "../../src/domain/connection";
import { hue, HUES, initials } from "../../src/domain/faces";
import { charactersLeft, cleanText, nameProblem, passwordProblem, roomNameProblem } from "../../src/domain/limits";
import { parts } from "../../src/domain/links";
import { changePresence, arrived, partition } from "../../src/domain/presence";
import { explain, Refusal } from "../../src/domain/refusal";
import { filterRooms } from "../../src/domain/rooms";
import { pageTitle, parseRoute, roomPath } from "../../src/domain/route";
import { dayName, rows } from "../../src/domain/rows";
import { badge, hear, learnLast, restoreUnread, see, unreadIn } from "../../src/domain/unread";
import { anna, ben, message, room } from "../fakes";

describe("links", () => {
  const links = (text: string) => parts(text).flatMap((part) => (part.type === "link" ? [part.href] : []));

  it.each([
    ["see https://example.org/a?b=c#d.", ["https://example.org/a?b=c#d"]],
    ["(http://example.org/a_(b))", ["http://example.org/a_(b)"]],
    ["https://a.example, https://b.example!", ["https://a.example/", "https://b.example/"]],
    ["javascript:alert(1) data:text/html,x ftp://example.org file:///etc", []],
    ["https:// http://", []],
    ["<https://example.org/x>", ["https://example.org/x"]],
  ])("%s", (text, found) => expect(links(text)).toEqual(found));

  it("keeps every character, and links only to http and https", () => {
    const pieces = fc.constantFrom(
      "https://",
      "http://",
      "javascript:",
      "a.example",
      " ",
      "\n",
      ".",
      "(",
      ")",
      "<",
      '"',
      "x",
      "@",
      "😀",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((all) => all.join("")),
        ),
        (text) => {
          expect(
            parts(text)
              .map((part) => part.text)
              .join(""),
          ).toBe(text);
          for (const href of links(text)) expect(href).toMatch(/^https?:\/\//);
        },
      ),
    );
  });
});

describe("the connection", () => {
  const after = (...events: ConnectionEvent[]) => events.reduce(connection, newConnection);

  it("comes back after longer and longer, but not after for ever", () => {
    expect([0, 1, 2, 10].map((attempt) => backoff(attempt, 1))).toEqual([500, 1000, 2000, 15_000]);
    expect(backoff(0, 0)).toBe(250);
  });

  it("obeys a drain: comes back when it was told, and not by its own reckoning", () => {
    const state = after({ type: "opened" }, { type: "drain", seconds: 7 }, { type: "lost", random: 0 });
    expect(state).toMatchObject({ phase: "waiting", delay: 7000, drain: null, attempt: 0 });
  });

  it("has words for what is up, and none when all is well", () => {
    expect(words(newConnection)?.text).toBe("Connecting…");
    expect(words(after({ type: "opened" }))).toBeNull();
    const lost = after({ type: "opened" }, { type: "lost", random: 0 });
    expect(words(lost)?.text).toBe("Reconnecting…");
    const long = [1, 2, 3].reduce(
      (state) => connection(connection(state, { type: "opening" }), { type: "lost", random: 0 }),
      lost,
    );
    expect(words(long)).toMatchObject({ tone: "warning", retry: true });
    expect(words(connection(lost, { type: "network", up: false }))?.text).toContain("offline");
  });

  it("stays ended", () => expect(after({ type: "ended" }, { type: "opened" }).phase).toBe("ended"));
});

describe("unread messages", () => {
  it("count each message of others once, in any order", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30 })), fc.nat({ max: 30 }), (order, seen) => {
        let state = restoreUnread({ lobby: seen });
        for (const id of order) state = hear(state, "lobby", [message(id, { author: id % 3 ? ben : anna })], anna);
        const expected = new Set(order.filter((id) => id > seen && id % 3 !== 0));
        expect(unreadIn(state, "lobby").count).toBe(expected.size);
      }),
    );
  });

  it("go when they are seen, and know of more that nobody has counted", () => {
    let state = learnLast({}, "lobby", 5);
    expect(badge(unreadIn(state, "lobby"))).toBe("");
    state = learnLast(state, "lobby", 9);
    expect(badge(unreadIn(state, "lobby"))).toBe("new");
    state = hear(state, "lobby", [message(10)], anna);
    expect(badge(unreadIn(state, "lobby"))).toBe("1+");
    expect(badge(unreadIn(see(state, "lobby", 10), "lobby"))).toBe("");
    expect(badge({ count: 120, more: false })).toBe("99+");
  });
});

describe("rows", () => {
  const at = (id: number, time: string, author = ben) =>
    message(id, { author, created_at: new Date(time).toISOString() });

  it("separate days, gather what one author wrote at a time, and mark what is new", () => {
    const lines = rows(
      [
        at(1, "2026-11-19T10:00"),
        at(2, "2026-11-19T10:04"),
        at(3, "2026-11-19T10:30"),
        at(4, "2026-11-20T09:00", anna),
        at(5, "2026-11-20T09:01"),
      ],
      3,
      anna,
    );
    expect(
      lines.map((row) => (row.type === "message" ? `${row.message.id}${row.follows ? "+" : ""}` : row.type)),
    ).toEqual(["day", "1", "2+", "3", "day", "4", "new", "5"]);
  });

  it("names days", () => {
    const now = new Date(2026, 10, 21, 15);
    expect(dayName(new Date(2026, 10, 21, 1), now)).toBe("Today");
    expect(dayName(new Date(2026, 10, 20, 23), now)).toBe("Yesterday");
    expect(dayName(new Date(2025, 0, 5), now)).toContain("2025");
  });
});

describe("small things", () => {
  it("routes", () => {
    expect(parseRoute("/")).toEqual({ page: "rooms" });
    expect(parseRoute("/rooms/lobby")).toEqual({ page: "room", room: "lobby" });
    expect(parseRoute(roomPath("ä/b"))).toEqual({ page: "room", room: "ä/b" });
    expect(parseRoute("/rooms/%")).toEqual({ page: "unknown" });
    expect(parseRoute("/other")).toEqual({ page: "unknown" });
    expect(pageTitle({ page: "room", room: "lobby" }, 3)).toBe("(3) #lobby · Chat");
  });

  it("says what the services would refuse", () => {
    expect(nameProblem("ab")).toContain("3 to 32");
    expect(nameProblem(".abc")).toContain("start with");
    expect(nameProblem("an.na_K-2")).toBeNull();
    expect(passwordProblem("short", "anna")).toContain("at least 10");
    expect(passwordProblem("Anna-Beatrix", "anna-beatrix")).toContain("other than your name");
    expect(passwordProblem("correct horse", "anna")).toBeNull();
    expect(roomNameProblem("Lobby")).toContain("small letters");
    expect(roomNameProblem("a b")).toContain("instead of spaces");
    expect(roomNameProblem("lobby-2_x")).toBeNull();
  });

  it("counts characters as the services do, and cleans what is pasted", () => {
    expect(charactersLeft("😀".repeat(3990))).toEqual({ shown: true, left: 10 });
    expect(charactersLeft("x".repeat(4001))).toEqual({ shown: true, left: -1 });
    expect(charactersLeft("hello")).toEqual({ shown: false });
    expect(cleanText(" a\r\nb\u0000\u001bc\ud800\t😀 \n")).toBe("a\nbc\t😀");
  });

  it("explains refusals", () => {
    expect(explain(new Refusal({ code: "rate_limited", message: "", retry_after: 2.2 }))).toBe(
      "That was too fast. Try again in 3 s.",
    );
    expect(explain(new Refusal({ code: "invalid", message: "x", fields: { text: "must not be empty" } }))).toBe(
      "Text must not be empty.",
    );
    expect(explain(new Refusal({ code: "of_a_later_release", message: "not on sundays" }))).toBe("Not on sundays.");
  });

  it("filters rooms by name and topic", () => {
    const all = [room("lobby"), room("design", { topic: "Pixels" })];
    expect(filterRooms(all, "#lob").map(({ name }) => name)).toEqual(["lobby"]);
    expect(filterRooms(all, "pixels de").map(({ name }) => name)).toEqual(["design"]);
    expect(filterRooms(all, "")).toHaveLength(2);
  });

  it("knows who is there", () => {
    const members = [
      { ...ben, online: false },
      { ...anna, online: true },
    ];
    expect(partition(members, null)).toEqual({ online: [anna], offline: [ben] });
    const presence = changePresence(changePresence(arrived([anna]), ben, true), anna, false);
    expect(partition(members, presence)).toEqual({ online: [ben], offline: [anna] });
  });

  it("makes faces", () => {
    expect(initials("ben.okafor")).toBe("BO");
    expect(initials("anna")).toBe("AN");
    expect(hue("anna")).toBe(hue("ANNA"));
    expect(hue("anna")).toBeLessThan(HUES);
  });
});
