import type { Message, User } from "./model";

/** What stands below each other in a room. */
export type Row =
  | { type: "day"; key: string; day: Date }
  | { type: "new"; key: string }
  | {
      type: "message";
      key: string;
      message: Message;
      /** continues what its author wrote just before */ follows: boolean;
    };

const TOGETHER = 5 * 60_000;

/** `newFrom`: the last message seen before; what others wrote after it stands below a line. */
export function rows(messages: readonly Message[], newFrom: number | null, me: User): readonly Row[] {
  const result: Row[] = [];
  let before: { message: Message; at: Date } | null = null;
  let line = newFrom;
  for (const message of messages) {
    const at = new Date(message.created_at);
    const otherDay = !before || !sameDay(before.at, at);
    if (otherDay) result.push({ type: "day", key: `day-${dayKey(at)}-${message.id}`, day: at });
    const newLine = line !== null && message.id > line && message.author?.id !== me.id;
    if (newLine) {
      result.push({ type: "new", key: "new" });
      line = null;
    }
    const follows =
      !otherDay &&
      !newLine &&
      before !== null &&
      message.author !== null &&
      before.message.author?.id === message.author.id &&
      at.getTime() - before.at.getTime() < TOGETHER;
    result.push({ type: "message", key: `message-${message.id}`, message, follows });
    before = { message, at };
  }
  return result;
}

/** In the reader's own time. */
export function dayKey(date: Date): string {
  const part = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${part(date.getMonth() + 1)}-${part(date.getDate())}`;
}

function sameDay(a: Date, b: Date): boolean {
  return a.getFullYear() === b.getFullYear() && a.getMonth() === b.getMonth() && a.getDate() === b.getDate();
}

export function dayName(day: Date, now: Date): string {
  if (sameDay(day, now)) return "Today";
  if (sameDay(day, new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1))) return "Yesterday";
  const year = day.getFullYear() === now.getFullYear() ? {} : { year: "numeric" as const };
  return day.toLocaleDateString(undefined, { weekday: "long", day: "numeric", month: "long", ...year });
}
