// A FAKE of chat's services for developing the page alone and for looking at it: everything is in memory, passwords are
// not checked well, and nothing of it is ever deployed. One port serves both /api and /ws:
//
//     npm run fake          # on PORT, 5999 by default
//     CHAT_API_PORT=5999 CHAT_WEBSOCKET_PORT=5999 npm run dev
//
// Sign in as anna (password "correct horse"). POST /fake {"away"|"slow"|"refuse"|"drop"|"drain"|"say"|"sign_out": …}
// makes trouble.
import { createServer } from "node:http";
import { randomBytes } from "node:crypto";
import { Server } from "socket.io";

const PORT = Number(process.env.PORT ?? 5999);
const id = () => randomBytes(12).toString("hex");

const users = new Map();
const sessions = new Map(); // session id -> {user, csrf}
const rooms = new Map(); // name -> {name, topic, members: Set of user ids, messages}
const trouble = { away: false, slow: 0, refuse: null };
let lastMessage = 0;

function addUser(name, password) {
  const user = { id: users.size + 1, name };
  users.set(name.toLowerCase(), { user, password });
  return user;
}

function addRoom(name, topic, members) {
  rooms.set(name, { name, topic, members: new Set(members), messages: [] });
}

function write(room, author, text, at = new Date(), client_id = id()) {
  const message = { id: ++lastMessage, room, client_id, text, author, created_at: at.toISOString() };
  rooms.get(room).messages.push(message);
  return message;
}

function seed() {
  const [anna, ben, chloe, dimitri] = ["anna", "ben.okafor", "Chloe", "dimitri_k"].map((name) =>
    addUser(name, "correct horse"),
  );
  for (let index = 0; index < 40; index++) addUser(`guest-${String(index).padStart(2, "0")}`, "correct horse");
  const all = [...users.values()].map(({ user }) => user.id);
  addRoom("lobby", "Everybody starts here. Be kind.", all);
  addRoom("deployments", "What goes out, and when", [1, 2, 3, 4]);
  addRoom("design", "Pixels and words", [1, 3]);
  addRoom("empty", "", [1]);
  addRoom("a-room-with-a-very-long-name-that-goes-on-and-on-to-the-limit-64", "Long names happen", [1, 2]);
  addRoom("random", "Anything else", [2, 3]);
  addRoom("coffee", "", [4]);
  const now = Date.now();
  const minutes = (count) => new Date(now - count * 60_000);
  for (let index = 0; index < 240; index++) {
    write(
      "lobby",
      [ben, chloe, dimitri, null][index % 4],
      `Message ${index + 1} from a while ago`,
      minutes(4320 - index * 10),
    );
  }
  write("lobby", ben, "Good morning! The new release is on two of the six hosts.", minutes(62));
  write("lobby", ben, "So far it looks fine: no errors, and reconnects took less than a second.", minutes(61));
  write(
    "lobby",
    chloe,
    "Nice. The dashboards are at https://grafana.example.org/d/chat?orgId=1 (and the runbook, too).",
    minutes(48),
  );
  write(
    "lobby",
    anna,
    "Thanks, I will have a look.\n\nTwo things I want to check:\n  1. what happens to messages that are under way\n  2. how long the drain takes",
    minutes(47),
  );
  write("lobby", dimitri, "Pneumonoultramicroscopicsilicovolcanoconiosis".repeat(6), minutes(20));
  write("lobby", dimitri, "<b>this is not markup</b> & neither is javascript:alert(1)", minutes(20));
  write("lobby", chloe, "👍🏽 אפשר גם בעברית · 日本語も · ელ. ფოსტა", minutes(6));
  write("lobby", anna, "All hosts are done.", minutes(2));
  write("deployments", ben, "chat 1.4.0 → production", minutes(90));
  write("design", chloe, "x".repeat(300) + "\n" + "A long one. ".repeat(300), minutes(300));
  write("a-room-with-a-very-long-name-that-goes-on-and-on-to-the-limit-64", ben, "hello?", minutes(900));
}

class Refused extends Error {
  constructor(status, code, message, more = {}) {
    super(message);
    Object.assign(this, { status, code, more });
  }
}

const cookie = (header) => /(?:^|;\s*)chat_session=(\w+)/.exec(header ?? "")?.[1];

function begin(user) {
  const key = id();
  const session = { key, user, csrf: id() };
  sessions.set(key, session);
  return session;
}

const shape = (room, user) => ({
  name: room.name,
  topic: room.topic,
  joined: room.members.has(user.id),
  members: room.members.size,
  last_message_id: room.messages.at(-1)?.id ?? null,
});

function roomOf(name, user, membersOnly = true) {
  const room = rooms.get(name);
  if (!room) throw new Refused(404, "not_found", "there is no such room");
  if (membersOnly && !room.members.has(user.id)) throw new Refused(403, "not_member", "only members may do this");
  return room;
}

const page = (list, limit) => ({ list: list.slice(0, limit), more: list.length > limit });

async function answer(request, url, body, session) {
  const path = url.pathname;
  const at = `${request.method} ${path}`;
  const limit = Number(url.searchParams.get("limit") ?? 50);
  const after = url.searchParams.get("after");
  if (request.method !== "GET" && request.headers["x-csrf-token"] !== session.csrf)
    throw new Refused(403, "csrf", "the token is missing or wrong");
  if (at === "GET /api/session") return [200, { user: session.user, csrf_token: session.csrf }, session];
  if (at === "POST /api/session" || at === "POST /api/users") {
    const known = users.get(String(body.name).toLowerCase());
    if (path === "/api/users") {
      if (known) throw new Refused(409, "name_taken", "this name is taken");
      const begun = begin(addUser(body.name, body.password));
      rooms.get("lobby").members.add(begun.user.id);
      return [201, { user: begun.user, csrf_token: begun.csrf }, begun];
    }
    if (!known || known.password !== body.password)
      throw new Refused(401, "unauthenticated", "name or password is wrong");
    const begun = begin(known.user);
    return [200, { user: begun.user, csrf_token: begun.csrf }, begun];
  }
  if (!session.user) throw new Refused(401, "unauthenticated", "sign in first");
  const { user } = session;
  if (at === "DELETE /api/session") {
    sessions.delete(session.key);
    endSockets(session.key);
    return [204];
  }
  if (trouble.refuse && path.startsWith(trouble.refuse)) throw new Refused(500, "internal", "this is a fake problem");
  if (at === "GET /api/rooms") {
    const sorted = [...rooms.values()]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .filter(({ name }) => !after || name > after);
    const { list, more } = page(sorted, limit);
    return [200, { rooms: list.map((room) => shape(room, user)), more }];
  }
  if (at === "POST /api/rooms") {
    if (rooms.has(body.name)) throw new Refused(409, "name_taken", "there is a room of this name");
    addRoom(body.name, body.topic ?? "", [user.id]);
    return [201, shape(rooms.get(body.name), user)];
  }
  const [, encoded, rest = ""] = /^\/api\/rooms\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? [];
  const name = decodeURIComponent(encoded ?? "");
  switch (`${request.method} ${rest}`) {
    case "GET ":
      return [200, shape(roomOf(name, user, false), user)];
    case "PUT membership":
      roomOf(name, user, false).members.add(user.id);
      return [204];
    case "DELETE membership":
      roomOf(name, user, false).members.delete(user.id);
      return [204];
    case "GET members": {
      const room = roomOf(name, user);
      const sorted = [...users.values()]
        .map((known) => known.user)
        .filter((one) => room.members.has(one.id) && (!after || one.name > after))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
      const { list, more } = page(sorted, limit);
      return [
        200,
        { members: list.map((one) => ({ ...one, online: onlineIn(name).some((other) => other.id === one.id) })), more },
      ];
    }
    case "GET messages": {
      const { messages } = roomOf(name, user);
      if (after !== null) {
        const { list, more } = page(
          messages.filter((message) => message.id > Number(after)),
          limit,
        );
        return [200, { room: name, messages: list, more }];
      }
      const before = Number(url.searchParams.get("before") ?? Infinity);
      const earlier = messages.filter((message) => message.id < before);
      return [200, { room: name, messages: earlier.slice(-limit), more: earlier.length > limit }];
    }
  }
  throw new Refused(404, "not_found", "there is nothing here");
}

function makeTrouble(body) {
  if ("away" in body) {
    trouble.away = body.away;
    if (body.away) io.disconnectSockets(true);
  }
  if ("slow" in body) trouble.slow = body.slow;
  if ("refuse" in body) trouble.refuse = body.refuse;
  if (body.drop) io.disconnectSockets(true);
  if (body.drain) {
    io.emit("drain", { reconnect_after: body.drain });
    setTimeout(() => io.disconnectSockets(true), 300);
  }
  if (body.sign_out)
    for (const key of [...sessions.keys()]) {
      sessions.delete(key);
      endSockets(key);
    }
  if (body.say) {
    const { room, name, text, times = 1 } = body.say;
    for (let index = 0; index < times; index++) {
      io.to(room).emit(
        "message",
        write(room, users.get(name.toLowerCase()).user, times > 1 ? `${text} ${index + 1}` : text),
      );
    }
  }
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://fake");
  const send = (status, body, headers = {}) => {
    response.writeHead(status, { "Content-Type": "application/json", ...headers });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  };
  try {
    let text = "";
    for await (const chunk of request) text += chunk;
    const body = text ? JSON.parse(text) : {};
    if (url.pathname === "/fake") return send(204, makeTrouble(body));
    if (trouble.slow) await new Promise((resolve) => setTimeout(resolve, trouble.slow));
    if (trouble.away) return send(503, { error: { code: "unavailable", message: "not now" } });
    const session = sessions.get(cookie(request.headers.cookie)) ?? begin(null);
    const [status, answered, begun] = await answer(request, url, body, session);
    send(status, answered, begun ? { "Set-Cookie": `chat_session=${begun.key}; Path=/; HttpOnly; SameSite=Lax` } : {});
  } catch (error) {
    const { status = 500, code = "internal", message, more } = error;
    send(status, { error: { code, message, ...more }, request_id: id() });
  }
});

const io = new Server(server, { path: "/ws/socket.io", transports: ["websocket"] });
const sockets = () => [...io.of("/").sockets.values()];
const endSockets = (key) => {
  for (const socket of sockets().filter((one) => one.data.key === key)) {
    socket.emit("signed_out", {});
    setTimeout(() => socket.disconnect(true), 50);
  }
};
function onlineIn(room) {
  const here = new Map(
    sockets()
      .filter((socket) => socket.rooms.has(room))
      .map((socket) => [socket.data.user.id, socket.data.user]),
  );
  for (const name of ["ben.okafor", "chloe"]) {
    const { user } = users.get(name);
    if (rooms.get(room)?.members.has(user.id)) here.set(user.id, user); // two who are always there
  }
  return [...here.values()];
}

io.use((socket, next) => {
  const session = sessions.get(cookie(socket.handshake.headers.cookie));
  if (trouble.away) return next(new Error("away"));
  if (!session?.user) return next(Object.assign(new Error("sign in first"), { data: { code: "unauthenticated" } }));
  socket.data = { user: session.user, key: session.key };
  next();
});

io.on("connection", (socket) => {
  const { user } = socket.data;
  let sent = [];
  const handle = (event, action) =>
    socket.on(event, (payload, acknowledge) => {
      try {
        acknowledge({ ok: true, ...action(payload) });
      } catch ({ code = "internal", message, more }) {
        acknowledge({ ok: false, error: { code, message, ...more } });
      }
    });
  handle("join", ({ room }) => {
    const { messages } = roomOf(room, user);
    socket.join(room);
    socket.to(room).emit("presence", { room, user, online: true });
    return { room, last_id: messages.at(-1)?.id ?? null, online: onlineIn(room) };
  });
  handle("leave", ({ room }) => {
    socket.leave(room);
    return { room };
  });
  handle("message", ({ room, text, client_id }) => {
    const known = roomOf(room, user).messages.find((message) => message.client_id === client_id);
    if (known) return { id: known.id, created_at: known.created_at, created: false };
    if (/forbidden/.test(text))
      throw new Refused(400, "invalid", "wrong", { fields: { text: "must not hold this word" } });
    sent = sent.filter((at) => at > Date.now() - 5000);
    if (sent.length >= 10) throw new Refused(429, "rate_limited", "too many messages", { retry_after: 3 });
    sent.push(Date.now());
    const message = write(room, user, text, new Date(), client_id);
    io.to(room).emit("message", message);
    return { id: message.id, created_at: message.created_at, created: true };
  });
  socket.on("disconnecting", () => {
    for (const room of socket.rooms) socket.to(room).emit("presence", { room, user, online: false });
  });
});

seed();
server.listen(PORT, "127.0.0.1", () => console.log(`FAKE chat services on http://localhost:${PORT}`));
