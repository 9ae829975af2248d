import { io } from "socket.io-client";
import type { RawSocket } from "./socket";

/** When to connect (again) is decided in domain/connection.ts, so socket.io's own ways to do it are off. */
export function openSocketIo(): RawSocket {
  return io({
    path: "/ws/socket.io",
    transports: ["websocket"],
    autoConnect: false,
    reconnection: false,
    forceNew: true,
    timeout: 15_000,
  });
}
