// A Socket.IO 4 client as far as this page needs one: websocket only, one namespace, text events, acknowledgements.
// Engine.IO packets: 0 open, 1 close, 2 ping, 3 pong, 4 message. Socket.IO inside of 4: 0 connect, 2 event, 3 ack.

const ACK_TIMEOUT = 10_000;
const RETRY_FIRST = 500;
const RETRY_MAX = 10_000;

export class Socket {
  #path; #socket = null; #acks = new Map(); #nextAck = 0; #retry = RETRY_FIRST; #watchdog = 0; #silence = 45_000;

  // handlers: connect(), disconnect(), and one for every event of the server, by its name.
  constructor(path, handlers) {
    this.#path = path;
    this.handlers = handlers;
    this.#open();
  }

  // Resolves with the server's answer; rejects when the connection is lost or nothing comes back in time.
  emit(event, data) {
    return new Promise((resolve, reject) => {
      if (this.#socket?.readyState !== WebSocket.OPEN) return reject(new Error("not connected"));
      const id = this.#nextAck++;
      const timer = setTimeout(() => { this.#acks.delete(id); reject(new Error("no answer")); }, ACK_TIMEOUT);
      this.#acks.set(id, { resolve, reject, timer });
      this.#socket.send(`42${id}${JSON.stringify([event, data])}`);
    });
  }

  #open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}${this.#path}/?EIO=4&transport=websocket`);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(socket, data);
    socket.onclose = () => this.#closed(socket);
    this.#listen(socket);
  }

  // The server pings; when it has been silent for too long the connection is dead although nobody closed it.
  #listen(socket) {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => { socket.close(); this.#closed(socket); }, this.#silence);
  }

  #receive(socket, packet) {
    if (socket !== this.#socket || typeof packet !== "string") return;
    this.#listen(socket);
    const rest = packet.slice(1);
    switch (packet[0]) {
      case "0": {
        const { pingInterval, pingTimeout } = JSON.parse(rest);
        this.#silence = pingInterval + pingTimeout;
        socket.send("40");
        break;
      }
      case "1": socket.close(); break;
      case "2": socket.send(`3${rest}`); break;
      case "4": this.#message(socket, rest); break;
    }
  }

  #message(socket, packet) {
    const [, type, id, json] = /^(\d)(\d*)([^]*)$/.exec(packet) ?? [];
    switch (type) {
      case "0":
        this.#retry = RETRY_FIRST;
        this.handlers.connect?.();
        break;
      case "2": {
        const [event, data] = JSON.parse(json);
        this.handlers[event]?.(data);
        break;
      }
      case "3": {
        const waiting = this.#acks.get(Number(id));
        this.#acks.delete(Number(id));
        clearTimeout(waiting?.timer);
        waiting?.resolve(JSON.parse(json)[0]);
        break;
      }
      case "1": case "4": socket.close(); break;
    }
  }

  #closed(socket) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    clearTimeout(this.#watchdog);
    for (const { reject, timer } of this.#acks.values()) { clearTimeout(timer); reject(new Error("disconnected")); }
    this.#acks.clear();
    this.handlers.disconnect?.();
    // A random part, so that the clients of a replica that stopped do not all come back at the same moment.
    setTimeout(() => this.#open(), this.#retry * (0.5 + Math.random()));
    this.#retry = Math.min(this.#retry * 2, RETRY_MAX);
  }
}
