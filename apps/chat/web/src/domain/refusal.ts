/** Why something did not happen: the services' codes, and those of the way there. */
export type RefusalCode =
  | "invalid"
  | "unauthenticated"
  | "csrf"
  | "not_member"
  | "not_found"
  | "name_taken"
  | "client_id_reused"
  | "too_large"
  | "unsupported_media_type"
  | "rate_limited"
  | "internal"
  | "unavailable"
  // Nothing came back: no way to the service, too slow, or the connection was lost in between.
  | "network"
  | "timeout"
  | "disconnected"
  // A code of a later release.
  | (string & {});

export interface RefusalBody {
  code: RefusalCode;
  message: string;
  fields?: Readonly<Record<string, string>> | undefined;
  retry_after?: number | undefined;
}

export class Refusal extends Error {
  readonly code: RefusalCode;
  readonly fields: Readonly<Record<string, string>>;
  /** Seconds to wait, where the service says so. */
  readonly retryAfter: number | null;

  constructor(body: RefusalBody) {
    super(body.message);
    this.name = "Refusal";
    this.code = body.code;
    this.fields = body.fields ?? {};
    this.retryAfter = body.retry_after ?? null;
  }
}

export function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  return new Refusal({ code: "internal", message: error instanceof Error ? error.message : String(error) });
}

/** It may well work in a moment, without anybody changing anything. */
export function isPassing(code: RefusalCode): boolean {
  return ["network", "timeout", "disconnected", "unavailable", "rate_limited"].includes(code);
}

/** For people. What the service says about a field is nearer to the point than its summary. */
export function explain(refusal: Pick<Refusal, "code" | "message" | "fields" | "retryAfter">): string {
  switch (refusal.code) {
    case "network":
      return "Chat cannot be reached. Are you online?";
    case "timeout":
      return "Chat takes too long to answer.";
    case "disconnected":
      return "The connection was lost.";
    case "unavailable":
      return "Chat is not available at the moment.";
    case "internal":
      return "Something went wrong on the server.";
    case "rate_limited": {
      const seconds = Math.ceil(refusal.retryAfter ?? 0);
      return seconds > 0
        ? `That was too fast. Try again in ${seconds} s.`
        : "That was too fast. Try again in a moment.";
    }
    case "not_member":
      return "You are not a member of this room.";
    case "too_large":
      return "That is too large.";
    case "csrf":
      return "The session of this page is out of date. Please reload it.";
  }
  const [field] = Object.entries(refusal.fields);
  return sentence(field ? `${field[0]} ${field[1]}` : refusal.message);
}

/** The services write in lower case and without a full stop. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  if (!trimmed) return "";
  const first = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
