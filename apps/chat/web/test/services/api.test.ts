import { describe, expect, it, vi } from "vitest";
import { Refusal } from "../../src/domain/refusal";
import { createApi } from "../../src/services/api";

interface Answer {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/** fetch that gives these answers, one after the other, and tells what it was asked. */
function fakeFetch(...answers: (Answer | Error)[]) {
  return vi.fn<typeof fetch>(async () => {
    const answer = answers.shift();
    if (!answer) throw new Error("nothing more was expected");
    if (answer instanceof Error) throw answer;
    const { status = 200, body, headers = {} } = answer;
    return new Response(body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body), {
      status,
      headers,
    });
  });
}

const session = (token: string) => ({ body: { user: { id: 1, name: "anna" }, csrf_token: token } });
const refusal = (status: number, code: string, more = {}) => ({
  status,
  body: { error: { code, message: "no", ...more } },
});
const calls = (fetch: ReturnType<typeof fakeFetch>) =>
  fetch.mock.calls.map(([url, init]) => {
    const token = (init?.headers as Record<string, string>)["X-CSRF-Token"];
    return `${init?.method} ${url as string}${token ? ` ${token}` : ""}`;
  });

describe("the api", () => {
  it("gets a token before the first change, and none for reading", async () => {
    const fetch = fakeFetch({ body: { rooms: [], more: false } }, session("one"), { status: 204 }, { status: 204 });
    const api = createApi({ fetch });
    await api.rooms(null, 200);
    await api.joinRoom("a room");
    await api.leaveRoom("a room");
    expect(calls(fetch)).toEqual([
      "GET /api/rooms?limit=200",
      "GET /api/session",
      "PUT /api/rooms/a%20room/membership one",
      "DELETE /api/rooms/a%20room/membership one",
    ]);
  });

  it("renews a token that is refused, once", async () => {
    const fetch = fakeFetch(session("old"), refusal(403, "csrf"), session("new"), { status: 204 });
    await createApi({ fetch }).joinRoom("x");
    expect(calls(fetch)).toEqual([
      "GET /api/session",
      "PUT /api/rooms/x/membership old",
      "GET /api/session",
      "PUT /api/rooms/x/membership new",
    ]);
    const stubborn = fakeFetch(session("old"), refusal(403, "csrf"), session("new"), refusal(403, "csrf"));
    await expect(createApi({ fetch: stubborn }).joinRoom("x")).rejects.toMatchObject({ code: "csrf" });
    expect(stubborn).toHaveBeenCalledTimes(4);
  });

  it("takes the token that comes with signing in", async () => {
    const fetch = fakeFetch(session("anonymous"), session("mine"), { status: 201, body: {} });
    const api = createApi({ fetch });
    await api.signIn({ name: "anna", password: "correct horse" });
    await api.createRoom("x", "");
    expect(calls(fetch).slice(1)).toEqual(["POST /api/session anonymous", "POST /api/rooms mine"]);
    expect(fetch.mock.calls[2]?.[1]?.body).toBe('{"name":"x"}');
  });

  it("says when the session has ended, but not when a password is wrong", async () => {
    const onSessionEnd = vi.fn();
    const fetch = fakeFetch(session("t"), refusal(401, "unauthenticated"), refusal(401, "unauthenticated"));
    const api = createApi({ fetch, onSessionEnd });
    await expect(api.signIn({ name: "anna", password: "wrong" })).rejects.toMatchObject({ code: "unauthenticated" });
    expect(onSessionEnd).not.toHaveBeenCalled();
    await expect(api.messages("lobby", { after: 3 }, 200)).rejects.toMatchObject({ code: "unauthenticated" });
    expect(onSessionEnd).toHaveBeenCalledOnce();
  });

  it("is signed out also where the session was over already", async () => {
    await createApi({ fetch: fakeFetch(session("t"), refusal(401, "unauthenticated")) }).signOut();
  });

  it.each<[string, Answer | Error, object]>([
    [
      "fields",
      refusal(400, "invalid", { fields: { name: "is bad" } }),
      { code: "invalid", fields: { name: "is bad" } },
    ],
    [
      "Retry-After",
      { ...refusal(429, "rate_limited"), headers: { "Retry-After": "7" } },
      { code: "rate_limited", retryAfter: 7 },
    ],
    ["a proxy's page", { status: 502, body: "<html>" }, { code: "unavailable" }],
    ["a proxy's 429", { status: 429, body: "slow down" }, { code: "rate_limited" }],
    ["an answer that is no JSON", { status: 200, body: "<html>" }, { code: "internal" }],
    ["no network", new TypeError("Failed to fetch"), { code: "network" }],
  ])("understands %s", async (_, answer, expected) => {
    const error: unknown = await createApi({ fetch: fakeFetch(answer) })
      .room("x")
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Refusal);
    expect(error).toMatchObject(expected);
  });

  it("does not wait for ever", async () => {
    const never: typeof fetch = (_, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      });
    await expect(createApi({ fetch: never, timeout: 5 }).room("x")).rejects.toMatchObject({ code: "timeout" });
  });
});
