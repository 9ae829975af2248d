import { Socket } from "/socket.js";

const element = (id) => document.getElementById(id);
const PAGE = 200;

let room = location.hash.slice(1) || "lobby";
let visit = 0; // counts the rooms entered, so that answers for an earlier one are dropped
let lastId = 0; // everything up to here has been loaded
let shown = new Map(); // client_id -> its line; a message that comes twice finds its own
let unsent = new Map(); // client_id -> {room, text, client_id}, until the server has them

function newId() {
  // crypto.randomUUID is there in secure contexts only, and this page may be served over plain HTTP.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function show(message) {
  if (message.room !== room) return;
  const line = shown.get(message.client_id) ?? document.createElement("li");
  shown.set(message.client_id, line);
  line.className = message.failed ? "failed" : message.id ? "" : "pending";
  const time = document.createElement("time");
  time.textContent = message.created_at ? new Date(message.created_at).toLocaleTimeString() : message.failed ?? "sending…";
  line.replaceChildren(time, message.text); // text, never markup
  line.dataset.id = message.id ?? Number.MAX_SAFE_INTEGER;
  // In the order of ids, unsent ones last; nearly always that is where it already is or the end.
  const list = element("messages");
  const before = [...list.children].findLast((other) => other !== line && Number(other.dataset.id) <= Number(line.dataset.id));
  if ((before?.nextSibling ?? (before ? null : list.firstChild)) !== line) {
    list.insertBefore(line, before ? before.nextSibling : list.firstChild);
  }
  element("empty").hidden = true;
  line.scrollIntoView({ block: "nearest" });
}

async function enter(name) {
  const mine = ++visit;
  if (name !== room) {
    socket.emit("leave", { room }).catch(() => {});
    room = name;
    location.hash = name;
  }
  lastId = 0;
  shown = new Map();
  element("messages").replaceChildren();
  element("empty").hidden = false;
  for (const message of unsent.values()) show(message);
  if (mine === visit) await catchUp();
}

// Join first and read second: what is written in between comes twice, and never not at all.
async function catchUp() {
  const mine = visit;
  try {
    const answer = await socket.emit("join", { room });
    if (!answer.ok) throw new Error(answer.error.fields?.room ?? answer.error.message);
    for (let more = true; more; ) {
      const after = lastId ? `after=${lastId}&` : "";
      const response = await fetch(`/api/rooms/${encodeURIComponent(room)}/messages?${after}limit=${PAGE}`);
      if (!response.ok) throw new Error(`history: HTTP ${response.status}`);
      const { messages } = await response.json();
      if (mine !== visit) return;
      messages.forEach(show);
      more = Boolean(after) && messages.length === PAGE;
      lastId = messages.at(-1)?.id ?? lastId;
    }
    element("status").textContent = "connected";
    for (const message of unsent.values()) deliver(message);
  } catch (error) {
    if (mine !== visit) return;
    element("status").textContent = `${error.message}, trying again…`;
    setTimeout(() => { if (mine === visit) catchUp(); }, 2000);
  }
}

async function deliver(message) {
  try {
    const answer = await socket.emit("message", message);
    if (answer.ok) {
      unsent.delete(message.client_id);
      show(answer.message);
    } else if (answer.error.code !== "unavailable") {
      unsent.delete(message.client_id);
      show({ ...message, failed: answer.error.fields?.text ?? answer.error.message });
    } else {
      setTimeout(() => deliver(message), 2000);
    }
  } catch {
    // It stays in `unsent` and goes out after the next connect, under the same client_id.
  }
}

const socket = new Socket("/ws/socket.io", {
  connect: catchUp,
  disconnect: () => { element("status").textContent = "reconnecting…"; },
  message: show,
});

element("room").value = room;
element("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  enter(element("room").value);
});
element("write").addEventListener("submit", (event) => {
  event.preventDefault();
  const message = { room, text: element("text").value, client_id: newId() };
  if (!message.text.trim()) return;
  unsent.set(message.client_id, message);
  show(message);
  deliver(message);
  event.target.reset();
});
