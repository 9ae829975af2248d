// The services decide; these are their rules, to say at once what they would refuse.

export const MAX_TEXT = 4000;
export const MAX_TOPIC = 200;
export const MIN_PASSWORD = 10;
export const MAX_PASSWORD = 128;
export const MAX_ROOM = 64;

const ROOM = /^[a-z0-9][a-z0-9_-]{0,63}$/;
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{2,31}$/;
// Control characters other than tab and newline, and halves of surrogate pairs.
// eslint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f\ud800-\udfff]/gu;

/** In characters as the services count them. */
export function length(text: string): number {
  return Array.from(text).length;
}

/** What is sent of a text that was typed or pasted. */
export function cleanText(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(FORBIDDEN, "").trim();
}

export function isRoomName(name: string): boolean {
  return ROOM.test(name);
}

export function roomNameProblem(name: string): string | null {
  if (!name) return "Give the room a name.";
  if (/[A-Z]/.test(name)) return "Use small letters only.";
  if (/\s/.test(name)) return "Use - instead of spaces.";
  if (name.length > MAX_ROOM) return `Use at most ${MAX_ROOM} characters.`;
  return isRoomName(name) ? null : "Use a–z, 0–9, - and _, and start with a letter or digit.";
}

export function topicProblem(topic: string): string | null {
  return length(topic) > MAX_TOPIC ? `Use at most ${MAX_TOPIC} characters.` : null;
}

export function nameProblem(name: string): string | null {
  if (!name) return "Enter a name.";
  if (name.length < 3 || name.length > 32) return "Use 3 to 32 characters.";
  return NAME.test(name) ? null : "Use letters, digits, _ . and -, and start with a letter or digit.";
}

export function passwordProblem(password: string, name: string): string | null {
  if (!password) return "Enter a password.";
  if (length(password) < MIN_PASSWORD) return `Use at least ${MIN_PASSWORD} characters.`;
  if (length(password) > MAX_PASSWORD) return `Use at most ${MAX_PASSWORD} characters.`;
  return password.toLowerCase() === name.toLowerCase() ? "Use something other than your name." : null;
}

/** From where the writer is told how much is left. */
const COUNT_FROM = MAX_TEXT - 400;

export type CharactersLeft = { shown: false } | { shown: true; left: number };

export function charactersLeft(text: string): CharactersLeft {
  const used = length(text);
  return used < COUNT_FROM ? { shown: false } : { shown: true, left: MAX_TEXT - used };
}
