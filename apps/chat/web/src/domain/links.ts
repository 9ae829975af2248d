export type Part = { type: "text"; text: string } | { type: "link"; text: string; href: string };

const LINK = /\bhttps?:\/\/[^\s<>"]+/giu;
const BRACKETS = [
  ["(", ")"],
  ["[", "]"],
  ["{", "}"],
] as const;
// Belongs to the sentence and not to the address.
const TAIL = /[.,:;!?'*]+$/u;

/** A message's text, with its http and https addresses found. Nothing else ever becomes a link. */
export function parts(text: string): readonly Part[] {
  const result: Part[] = [];
  let from = 0;
  const plain = (to: number) => {
    if (to > from) result.push({ type: "text", text: text.slice(from, to) });
  };
  for (const match of text.matchAll(LINK)) {
    const address = withoutTail(match[0]);
    const href = safeAddress(address);
    if (href === null) continue;
    plain(match.index);
    result.push({ type: "link", text: address, href });
    from = match.index + address.length;
  }
  plain(text.length);
  return result;
}

function withoutTail(address: string): string {
  let result = address;
  for (;;) {
    const before = result;
    result = result.replace(TAIL, "");
    // (see https://example.org/a_(b)) — a closing bracket belongs to it only if it was opened in it.
    for (const [open, close] of BRACKETS) {
      if (result.endsWith(close) && count(result, close) > count(result, open)) {
        result = result.slice(0, -1);
      }
    }
    if (result === before) return result;
  }
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}

function safeAddress(address: string): string | null {
  try {
    const url = new URL(address);
    return (url.protocol === "http:" || url.protocol === "https:") && url.hostname ? url.href : null;
  } catch {
    return null;
  }
}
