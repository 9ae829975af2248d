import { beforeEach, describe, expect, it, vi } from "vitest";
import { createLive, type LiveHandlers } from "../../src/services/socket";
import { FakeSocket } from "../fakes";

const handlers = {
  connection: vi.fn(),
  message: vi.fn(),
  presence: vi.fn(),
  unauthenticated: vi.fn(),
} satisfies LiveHandlers;

function setUp() {
  const socket = new FakeSocket();
  const live = createLive(socket, handlers, () => 1);
  return { socket, live };
}

beforeEach(() => {
  vi.useFakeTimers();
  Object.values(handlers).forEach((handler) => handler.mockClear());
});

describe("the live connection", () => {
  it("comes back by itself, after longer and longer", () => {
    const { socket, live } = setUp();
    live.start();
    expect(live.connection.phase).toBe("online");
    socket.reachable = false;
    socket.drop();
    expect(live.connection).toMatchObject({ phase: "waiting", delay: 500 });
    vi.advanceTimersByTime(500);
    expect(socket.connects).toBe(2);
    vi.advanceTimersByTime(499);
    expect(socket.connects).toBe(2);
    vi.advanceTimersByTime(1);
    expect(socket.connects).toBe(3);
    socket.reachable = true;
    vi.advanceTimersByTime(1000);
    expect(live.connection).toMatchObject({ phase: "online", attempt: 0 });
  });

  it("also when it is the server that disconnects", () => {
    const { socket, live } = setUp();
    live.start();
    socket.drop("io server disconnect");
    vi.advanceTimersByTime(500);
    expect(live.connection.phase).toBe("online");
  });

  it("obeys a drain, whatever the browser says of the network", () => {
    const { socket, live } = setUp();
    live.start();
    socket.receive("drain", { reconnect_after: 6 });
    expect(live.connection.phase).toBe("online");
    socket.drop("io server disconnect");
    live.network(true);
    vi.advanceTimersByTime(5999);
    expect(socket.connects).toBe(1);
    vi.advanceTimersByTime(1);
    expect(socket.connects).toBe(2);
  });

  it("tries at once when asked to or when the network is back", () => {
    const { socket, live } = setUp();
    socket.reachable = false;
    live.start();
    expect(socket.connects).toBe(1);
    live.retry();
    expect(socket.connects).toBe(2);
    live.network(true);
    expect(socket.connects).toBe(3);
  });

  it("does not wait for a silence when the browser knows that it is offline", () => {
    const { socket, live } = setUp();
    live.start();
    socket.reachable = false;
    live.network(false);
    expect(live.connection).toMatchObject({ phase: "waiting", network: false });
  });

  it.each([
    [
      "the handshake is refused",
      (socket: FakeSocket) =>
        socket.receive("connect_error", Object.assign(new Error(), { data: { code: "unauthenticated" } })),
    ],
    ["signed_out comes", (socket: FakeSocket) => socket.receive("signed_out", {})],
  ])("ends with the session: %s", (_, end) => {
    const { socket, live } = setUp();
    live.start();
    end(socket);
    expect(handlers.unauthenticated).toHaveBeenCalledOnce();
    expect(live.connection.phase).toBe("ended");
    vi.advanceTimersByTime(60_000);
    expect(socket.connects).toBe(1);
  });

  it("hands on answers and refusals", async () => {
    const { socket, live } = setUp();
    live.start();
    socket.answer = (event) =>
      event === "join"
        ? { ok: true, room: "lobby", last_id: 3, online: [] }
        : { ok: false, error: { code: "rate_limited", message: "slow", retry_after: 2 } };
    await expect(live.join("lobby")).resolves.toMatchObject({ last_id: 3 });
    await expect(live.send({ room: "lobby", text: "x", client_id: "12345678" })).rejects.toMatchObject({
      code: "rate_limited",
      retryAfter: 2,
    });
  });

  it("tells a late answer from a lost connection, and sends nothing without one", async () => {
    const { socket, live } = setUp();
    live.start();
    socket.answer = () => new Promise(() => undefined);
    const late = expect(live.join("lobby")).rejects.toMatchObject({ code: "timeout" });
    await vi.advanceTimersByTimeAsync(10_000);
    await late;
    const lost = expect(live.join("lobby")).rejects.toMatchObject({ code: "disconnected" });
    socket.drop();
    await lost;
    await expect(live.join("lobby")).rejects.toMatchObject({ code: "disconnected" });
    expect(socket.emitted).toHaveLength(2);
  });

  it("is silent once it is stopped", () => {
    const { socket, live } = setUp();
    live.start();
    live.stop();
    socket.receive("message", {});
    vi.advanceTimersByTime(60_000);
    expect(handlers.message).not.toHaveBeenCalled();
    expect(socket.connects).toBe(1);
  });
});
