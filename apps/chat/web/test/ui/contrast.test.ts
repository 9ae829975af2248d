import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const css = readFileSync("src/ui/styles/tokens.css", "utf8");
const tokens = new Map(
  [...css.matchAll(/--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);/g)].map(([, name, light, dark]) => [
    name!,
    { light: light!, dark: dark! },
  ]),
);

function luminance(color: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

const surfaces = ["page", "side", "raised", "hover"];
const pairs: [string, string, number][] = [
  ...surfaces.flatMap((surface): [string, string, number][] => [
    ["text", surface, 7],
    ["muted", surface, 4.5],
    ["accent", surface, 4.5],
    ["danger", surface, 4.5],
  ]),
  ["on-accent", "accent-fill", 4.5],
  ["on-accent", "accent-fill-hover", 4.5],
  ["on-accent-soft", "accent-soft", 4.5],
  ["on-danger-soft", "danger-soft", 4.5],
  ["on-warning-soft", "warning-soft", 4.5],
  // Edges of what can be operated.
  ["control-line", "page", 3],
  ["control-line", "raised", 3],
  ["online", "page", 3],
  ["online", "raised", 3],
];

describe.each(["light", "dark"] as const)("colours in %s", (theme) => {
  it.each(pairs)("%s on %s", (front, back, least) => {
    const [one, other] = [tokens.get(front)?.[theme], tokens.get(back)?.[theme]];
    expect(contrast(one!, other!)).toBeGreaterThanOrEqual(least);
  });
});
