import axe from "axe-core";
import { expect } from "vitest";

/** What axe finds in the document, in both themes. Colours need a real browser: see dev/look.mjs and contrast.test.ts. */
export async function expectAccessible(): Promise<void> {
  for (const theme of ["light", "dark"]) {
    document.documentElement.dataset["theme"] = theme;
    document.documentElement.lang = "en";
    const { violations } = await axe.run(document, { rules: { "color-contrast": { enabled: false } } });
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
  }
}
