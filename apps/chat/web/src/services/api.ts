import type { Member, Message, MessagePage, Room, User } from "../domain/model";
import { Refusal, type RefusalBody } from "../domain/refusal";

export interface SessionAnswer {
  user: User | null;
  csrf_token: string;
}

export interface SignedIn {
  user: User;
  csrf_token: string;
}

export interface Credentials {
  name: string;
  password: string;
}

/** Everything the page asks of the API over HTTP. Whatever is not granted rejects with a Refusal. */
export interface Api {
  session(): Promise<SessionAnswer>;
  signIn(credentials: Credentials): Promise<SignedIn>;
  signUp(credentials: Credentials): Promise<SignedIn>;
  signOut(): Promise<void>;
  rooms(after: string | null, limit: number): Promise<{ rooms: Room[]; more: boolean }>;
  room(name: string): Promise<Room>;
  createRoom(name: string, topic: string): Promise<Room>;
  joinRoom(name: string): Promise<void>;
  leaveRoom(name: string): Promise<void>;
  members(room: string, after: string | null, limit: number): Promise<{ members: Member[]; more: boolean }>;
  messages(room: string, from: { before?: number; after?: number }, limit: number): Promise<MessagePage>;
}

export interface ApiOptions {
  fetch: typeof globalThis.fetch;
  /** Called when a request that needs a session finds that there is none any more. */
  onSessionEnd?: () => void;
  timeout?: number;
}

interface Request {
  method?: "GET" | "POST" | "PUT" | "DELETE";
  body?: unknown;
  /** A 401 is an answer and not the session's end. */
  signingIn?: boolean;
}

const TIMEOUT = 15_000;

export function createApi(options: ApiOptions): Api {
  let token: string | null = null;

  async function session(): Promise<SessionAnswer> {
    const answer = await exchange<SessionAnswer>("/api/session", {});
    token = answer.csrf_token;
    return answer;
  }

  async function call<T>(path: string, request: Request = {}): Promise<T> {
    try {
      return await withToken<T>(path, request);
    } catch (error) {
      if (error instanceof Refusal && error.code === "unauthenticated" && !request.signingIn) options.onSessionEnd?.();
      throw error;
    }
  }

  async function withToken<T>(path: string, request: Request): Promise<T> {
    if ((request.method ?? "GET") === "GET") return exchange<T>(path, request);
    if (token === null) await session();
    try {
      return await exchange<T>(path, request);
    } catch (error) {
      // The token belongs to a session that has changed, in another window for example. Once is enough.
      if (!(error instanceof Refusal) || error.code !== "csrf") throw error;
      await session();
      return exchange<T>(path, request);
    }
  }

  async function exchange<T>(path: string, { method = "GET", body }: Request): Promise<T> {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (method !== "GET" && token !== null) headers["X-CSRF-Token"] = token;
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), options.timeout ?? TIMEOUT);
    try {
      const response = await options.fetch(path, {
        method,
        headers,
        credentials: "same-origin",
        cache: "no-store",
        signal: controller.signal,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (!response.ok) throw await refusal(response);
      return (response.status === 204 ? undefined : await response.json()) as T;
    } catch (error) {
      if (error instanceof Refusal) throw error;
      const code = controller.signal.aborted ? "timeout" : error instanceof SyntaxError ? "internal" : "network";
      throw new Refusal({ code, message: error instanceof Error ? error.message : code });
    } finally {
      clearTimeout(timer);
    }
  }

  async function begun(path: string, credentials: Credentials): Promise<SignedIn> {
    const answer = await call<SignedIn>(path, { method: "POST", body: credentials, signingIn: true });
    token = answer.csrf_token;
    return answer;
  }

  return {
    session,
    signIn: (credentials) => begun("/api/session", credentials),
    signUp: (credentials) => begun("/api/users", credentials),
    async signOut() {
      try {
        await call("/api/session", { method: "DELETE", signingIn: true });
      } catch (error) {
        // Ended already: just what was wanted.
        if (!(error instanceof Refusal) || error.code !== "unauthenticated") throw error;
      }
      token = null; // the next session has its own
    },
    rooms: (after, limit) => call(`/api/rooms?${query({ after, limit })}`),
    room: (name) => call(roomUrl(name)),
    createRoom: (name, topic) => call("/api/rooms", { method: "POST", body: topic ? { name, topic } : { name } }),
    joinRoom: (name) => call(`${roomUrl(name)}/membership`, { method: "PUT" }),
    leaveRoom: (name) => call(`${roomUrl(name)}/membership`, { method: "DELETE" }),
    members: (room, after, limit) => call(`${roomUrl(room)}/members?${query({ after, limit })}`),
    async messages(room, from, limit) {
      return call<{ messages: Message[]; more: boolean }>(`${roomUrl(room)}/messages?${query({ ...from, limit })}`);
    },
  };
}

function roomUrl(name: string): string {
  return `/api/rooms/${encodeURIComponent(name)}`;
}

function query(values: Record<string, string | number | null | undefined>): string {
  const given = Object.entries(values).filter(([, value]) => value !== null && value !== undefined);
  return new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
}

async function refusal(response: Response): Promise<Refusal> {
  const header = Number(response.headers.get("Retry-After"));
  const retryAfter = Number.isFinite(header) && header > 0 ? header : undefined;
  try {
    const { error } = (await response.json()) as { error: RefusalBody };
    return new Refusal({ ...error, retry_after: error.retry_after ?? retryAfter });
  } catch {
    // Not from the service but from something in front of it.
    const code = response.status === 429 ? "rate_limited" : response.status >= 502 ? "unavailable" : "internal";
    return new Refusal({ code, message: `HTTP ${response.status}`, retry_after: retryAfter });
  }
}
