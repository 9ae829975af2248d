import { defineConfig } from "vite";

// Development: the services run on this machine; ports from the environment, as the services have them by default.
const api = `http://localhost:${process.env["CHAT_API_PORT"] ?? "5000"}`;
const websocket = `http://localhost:${process.env["CHAT_WEBSOCKET_PORT"] ?? "5001"}`;
// Host stays the page's, because the services compare a browser's Origin with it.
const proxy = {
  "/api": { target: api, changeOrigin: false },
  "/ws": { target: websocket, changeOrigin: false, ws: true },
};

export default defineConfig({
  server: { port: 3000, proxy },
  preview: { port: 3000, proxy },
  build: {
    target: "es2022",
    // Everything is a file of its own: the Content-Security-Policy allows neither inline scripts nor data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
