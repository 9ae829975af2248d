/** One or two letters that stand for a name. */
export function initials(name: string): string {
  const [first = "", second = ""] = name.split(/[_.-]+/).filter(Boolean);
  const letters = second ? first.charAt(0) + second.charAt(0) : first.slice(0, 2);
  return letters.toUpperCase();
}

export const HUES = 8;

/** Always the same colour for the same name. */
export function hue(name: string): number {
  let hash = 0;
  for (const character of name.toLowerCase()) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return hash % HUES;
}
