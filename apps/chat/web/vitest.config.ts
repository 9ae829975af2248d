import { defineConfig } from "vitest/config";

// Apart from vite.config.ts, so that the page can be built without what only checks it.
export default defineConfig({
  test: {
    environment: "jsdom",
    environmentOptions: { jsdom: { url: "http://chat.test/" } },
    setupFiles: ["test/setup.ts"],
    include: ["test/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    unstubGlobals: true,
    css: false,
  },
});
