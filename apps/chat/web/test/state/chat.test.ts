import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Refusal } from "../../src/domain/refusal";
import { unreadIn } from "../../src/domain/unread";
import { createDesk, createKeeper } from "../../src/services/storage";
import { createChat, type Chat } from "../../src/state/chat";
import { anna, ben, FakeService, room } from "../fakes";

let service: FakeService;
let chat: Chat;
let visible = true;
const onSessionEnd = vi.fn();
const desk = () =>
  createDesk(
    createKeeper(() => localStorage),
    anna.id,
  );
const settle = () => vi.advanceTimersByTimeAsync(0);
const texts = (name = "lobby") => chat.get().views[name]?.timeline.messages.map(({ text }) => text) ?? [];
const unsent = () => chat.get().outbox.entries.map(({ text, state }) => `${text}: ${state}`);
const status = (name = "lobby") => chat.get().views[name]?.status;

function begin(name: string | null = "lobby") {
  chat = createChat({
    me: anna,
    api: service.api,
    socket: service.socket,
    desk: desk(),
    onSessionEnd,
    random: () => 1,
    visible: () => visible,
  });
  chat.start();
  chat.open(name);
}

beforeEach(() => {
  vi.useFakeTimers();
  visible = true;
  onSessionEnd.mockClear();
  service = new FakeService(room("lobby"), room("other"), room("closed", { joined: false }));
});
afterEach(() => chat.stop());

describe("reading a room", () => {
  it("joins first and reads second", async () => {
    service.write("one");
    begin();
    await settle();
    expect(texts()).toEqual(["one"]);
    expect(status()).toBe("ready");
    const joined = service.socket.emitted.findIndex(
      ({ event, payload }) => event === "join" && (payload as { room: string }).room === "lobby",
    );
    expect(joined).toBeGreaterThanOrEqual(0);
    service.write("two");
    expect(texts()).toEqual(["one", "two"]);
  });

  it("loses and doubles nothing over a reconnect", async () => {
    begin();
    await settle();
    service.write("before");
    service.socket.drop();
    for (let index = 1; index <= 450; index++) service.write(`missed ${index}`);
    await vi.advanceTimersByTimeAsync(500);
    service.write("after");
    await settle();
    expect(texts()).toEqual(["before", ...Array.from({ length: 450 }, (_, index) => `missed ${index + 1}`), "after"]);
  });

  it("reads what came while it joined, in whatever order it arrives", async () => {
    service.write("one");
    const answer = service.socket.answer;
    service.socket.answer = (event, payload) => {
      const joined = answer(event, payload);
      if (event === "join" && (payload as { room: string }).room === "lobby") {
        const two = service.write("two", { arrives: false });
        service.socket.receive("message", service.write("three", { arrives: false }));
        service.socket.receive("message", two);
      }
      return joined;
    };
    begin();
    await settle();
    expect(texts()).toEqual(["one", "two", "three"]);
  });

  it("finds what the live connection lost when it confirms what came", async () => {
    begin();
    await settle();
    service.write("lost", { arrives: false });
    for (let index = 0; index < 50; index++) service.write(`x${index}`);
    await settle();
    expect(texts()).toHaveLength(51);
    expect(texts()[0]).toBe("lost");
  });

  it("loads older messages", async () => {
    for (let index = 1; index <= 120; index++) service.write(`m${index}`);
    begin();
    await settle();
    expect(texts()).toHaveLength(50);
    await Promise.all([chat.loadOlder("lobby"), chat.loadOlder("lobby")]);
    expect(texts()).toHaveLength(100);
    service.api.messages.mockRejectedValueOnce(new Refusal({ code: "network", message: "" }));
    await chat.loadOlder("lobby");
    expect(chat.get().views["lobby"]?.older).toBe("failed");
    await chat.loadOlder("lobby");
    expect(texts()[0]).toBe("m1");
  });

  it("tries again by itself what failed, and waits as long as it is told", async () => {
    service.api.messages.mockRejectedValueOnce(new Refusal({ code: "rate_limited", message: "", retry_after: 4 }));
    begin();
    await settle();
    expect(status()).toBe("failed");
    await vi.advanceTimersByTimeAsync(3999);
    expect(status()).toBe("failed");
    await vi.advanceTimersByTimeAsync(1);
    expect(status()).toBe("ready");
  });

  it("shows what it has where only the newest could not be read", async () => {
    service.write("one");
    begin();
    await settle();
    service.socket.drop();
    service.api.messages.mockRejectedValueOnce(new Refusal({ code: "unavailable", message: "" }));
    await vi.advanceTimersByTimeAsync(500);
    expect(status()).toBe("ready");
    expect(chat.get().views["lobby"]?.problem).toContain("not available");
    await vi.advanceTimersByTimeAsync(2000);
    expect(chat.get().views["lobby"]?.problem).toBeNull();
  });

  it("reads the history also without a live connection", async () => {
    service.write("one");
    service.socket.reachable = false;
    begin();
    await settle();
    expect(texts()).toEqual(["one"]);
  });

  it.each([
    ["nowhere", "missing"],
    ["Not A Name", "missing"],
    ["closed", "outside"],
  ])("%s is %s", async (name, expected) => {
    begin(name);
    await settle();
    expect(status(name)).toBe(expected);
  });

  it("notices that it is not a member any more, joins again, and leaves", async () => {
    service.write("one");
    begin();
    await settle();
    service.rooms.get("lobby")!.joined = false;
    service.socket.drop();
    await vi.advanceTimersByTimeAsync(500);
    expect(status()).toBe("outside");
    expect(texts()).toEqual([]);
    await chat.join("lobby");
    await settle();
    expect([status(), texts()]).toEqual(["ready", ["one"]]);
    await chat.leave("lobby");
    await settle();
    expect(status()).toBe("outside");
    expect(service.socket.sent("leave")).toEqual([{ room: "lobby" }]);
  });

  it("does not let a list of before undo what was done since", async () => {
    let answer: (() => void) | undefined;
    begin("closed");
    await settle();
    service.api.rooms.mockImplementationOnce(
      () =>
        new Promise((resolve) => (answer = () => resolve({ rooms: [room("closed", { joined: false })], more: false }))),
    );
    const reading = chat.reloadRooms();
    await chat.join("closed");
    answer?.();
    await reading;
    await settle();
    expect(chat.get().rooms.all.find(({ name }) => name === "closed")?.joined).toBe(true);
  });
});

describe("sending", () => {
  it("shows it at once, and once only when it has arrived", async () => {
    begin();
    await settle();
    chat.send("lobby", " hello \r\n");
    expect(unsent()).toEqual(["hello: sending"]);
    await settle();
    expect(unsent()).toEqual([]);
    expect(texts()).toEqual(["hello"]);
    expect(chat.get().heard).toEqual([]);
  });

  it("keeps what is written offline over a reload, and sends it in its order", async () => {
    service.socket.reachable = false;
    begin();
    await settle();
    ["one", "two", "three"].forEach((text) => chat.send("lobby", text));
    expect(unsent()).toEqual(["one: waiting", "two: waiting", "three: waiting"]);
    const ids = chat.get().outbox.entries.map(({ clientId }) => clientId);
    chat.stop();
    service.socket.reachable = true;
    begin();
    expect(chat.get().outbox.entries.map(({ clientId }) => clientId)).toEqual(ids);
    await settle();
    expect(unsent()).toEqual([]);
    expect(service.messages.get("lobby")?.map(({ text }) => text)).toEqual(["one", "two", "three"]);
    expect(desk().unsent()).toEqual([]);
  });

  it("sends again under the same client_id where the answer was lost, so that it is stored once", async () => {
    begin();
    await settle();
    service.mute = true;
    chat.send("lobby", "once");
    await settle();
    expect(unsent()).toEqual(["once: sending"]);
    service.mute = false;
    service.socket.drop();
    expect(unsent()).toEqual(["once: waiting"]);
    await vi.advanceTimersByTimeAsync(500);
    expect(unsent()).toEqual([]);
    expect(service.messages.get("lobby")).toHaveLength(1);
    expect(texts()).toEqual(["once"]);
  });

  it("waits when it was too fast", async () => {
    begin();
    await settle();
    const answer = service.socket.answer;
    service.socket.answer = (event, payload) =>
      event === "message"
        ? { ok: false, error: { code: "rate_limited", message: "slow", retry_after: 3 } }
        : answer(event, payload);
    chat.send("lobby", "one");
    chat.send("lobby", "two");
    await settle();
    service.socket.answer = answer;
    expect(unsent()).toEqual(["one: waiting", "two: waiting"]);
    await vi.advanceTimersByTimeAsync(2999);
    expect(texts()).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(texts()).toEqual(["one", "two"]);
  });

  it("shows what is refused until it is tried again or discarded, also after a reload", async () => {
    const answer = service.socket.answer;
    service.socket.answer = (event, payload) =>
      event === "message"
        ? { ok: false, error: { code: "invalid", message: "no", fields: { text: "is bad" } } }
        : answer(event, payload);
    begin();
    await settle();
    chat.send("lobby", "one");
    chat.send("lobby", "two");
    await settle();
    expect(unsent()).toEqual(["one: failed", "two: failed"]);
    chat.stop();
    begin();
    await settle();
    const [one, two] = chat.get().outbox.entries;
    expect(one?.problem?.text).toBe("Text is bad.");
    chat.discard(two!.clientId);
    service.socket.answer = answer;
    chat.retrySending(one!.clientId);
    await settle();
    expect([unsent(), texts()]).toEqual([[], ["one"]]);
  });

  it("keeps what is unsent when the session ends", async () => {
    begin();
    await settle();
    service.socket.answer = () => ({ ok: false, error: { code: "unauthenticated", message: "no" } });
    chat.send("lobby", "later");
    await settle();
    expect(onSessionEnd).toHaveBeenCalledOnce();
    expect(
      desk()
        .unsent()
        .map(({ text, state }) => `${text}: ${state}`),
    ).toEqual(["later: waiting"]);
  });

  it("drops what another window has delivered", async () => {
    service.socket.reachable = false;
    begin();
    chat.send("lobby", "one");
    const key = `chat.user.1.unsent.${chat.get().outbox.entries[0]!.clientId}`;
    window.dispatchEvent(new StorageEvent("storage", { key, newValue: null }));
    expect(unsent()).toEqual([]);
  });
});

describe("what is new", () => {
  it("counts in other rooms, and is read when they are opened", async () => {
    begin();
    await settle();
    service.write("a", { to: "other" });
    service.write("b", { to: "other" });
    expect(unreadIn(chat.get().unread, "other").count).toBe(2);
    chat.open("other");
    await settle();
    expect(unreadIn(chat.get().unread, "other").count).toBe(0);
    expect(texts("other")).toEqual(["a", "b"]);
    expect(chat.get().views["other"]?.newFrom).toBe(0);
  });

  it("counts in the open room while nobody looks", async () => {
    begin();
    await settle();
    visible = false;
    service.write("a");
    expect(unreadIn(chat.get().unread, "lobby").count).toBe(1);
    visible = true;
    document.dispatchEvent(new Event("visibilitychange"));
    expect(unreadIn(chat.get().unread, "lobby").count).toBe(0);
    chat.watch(false);
    service.write("b");
    expect(unreadIn(chat.get().unread, "lobby").count).toBe(1);
    chat.watch(true);
    expect(unreadIn(chat.get().unread, "lobby").count).toBe(0);
  });

  it("is known of after a reconnect and after a visit of long ago", async () => {
    begin();
    await settle();
    service.socket.drop();
    service.write("missed", { to: "other" });
    await vi.advanceTimersByTimeAsync(500);
    expect(unreadIn(chat.get().unread, "other").more).toBe(true);
    chat.stop();
    begin();
    await settle();
    expect(unreadIn(chat.get().unread, "other").more).toBe(true);
  });

  it("is read out: what others write in the open room, and nothing else", async () => {
    service.write("old");
    begin();
    await settle();
    service.write("elsewhere", { to: "other" });
    for (const text of ["1", "2", "3", "4", "5", "6"]) service.write(text);
    expect(chat.get().heard.map(({ text }) => text)).toEqual(["2", "3", "4", "5", "6"]);
  });

  it("does not pile up without end", async () => {
    begin();
    await settle();
    for (let index = 0; index < 1000; index++) {
      service.write(`m${index}`);
      if (index % 40 === 0) await settle();
    }
    await settle();
    expect(texts().length).toBeLessThan(700);
    expect(texts().at(-1)).toBe("m999");
  });
});

describe("presence", () => {
  it("follows who comes and goes", async () => {
    begin();
    await settle();
    expect([...chat.get().views["lobby"]!.presence!.keys()]).toEqual([1]);
    service.socket.receive("presence", { room: "lobby", user: ben, online: true });
    expect([...chat.get().views["lobby"]!.presence!.keys()]).toEqual([1, 2]);
    service.socket.receive("presence", { room: "lobby", user: ben, online: false });
    expect([...chat.get().views["lobby"]!.presence!.keys()]).toEqual([1]);
  });
});
