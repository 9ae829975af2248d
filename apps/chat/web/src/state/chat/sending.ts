import type { Message } from "../../domain/model";
import { cleanText } from "../../domain/limits";
import { sendable, type Unsent } from "../../domain/outbox";
import { asRefusal, explain } from "../../domain/refusal";
import { newClientId } from "../../services/identifiers";
import type { Live } from "../../services/socket";
import type { Core } from "./core";
import type { Reading } from "./reading";
import type { Seen } from "./seen";

/** Takes what is written to the service, once, whatever happens meanwhile. */
export interface Sending {
  /** Send what can be sent now. */
  pump(): void;
  send(room: string, text: string): void;
  retry(clientId: string): void;
  discard(clientId: string): void;
  onStorage(event: StorageEvent): void;
  stop(): void;
}

export function createSending(core: Core, live: Live, seen: Seen, reading: Reading): Sending {
  const { me, desk, now, random, state, setView, advance, post } = core;
  let pumpTimer: ReturnType<typeof setTimeout> | undefined;

  function pump(): void {
    clearTimeout(pumpTimer);
    if (!core.running || live.connection.phase !== "online") return;
    const { hold } = state().outbox;
    if (hold && hold.until > now()) {
      pumpTimer = setTimeout(pump, hold.until - now());
      return;
    }
    for (const entry of sendable(state().outbox, now())) void deliver(entry);
  }

  async function deliver(entry: Unsent): Promise<void> {
    const { clientId, room, text } = entry;
    post({ type: "sending", clientId });
    try {
      const { id, created_at } = await live.send({ room, text, client_id: clientId });
      const message: Message = { id, room, client_id: clientId, text, author: me, created_at };
      if (state().views[room]) advance(room, { type: "live", message });
      post({ type: "delivered", clientId, room });
      seen.noteSeen();
    } catch (error) {
      const refusal = asRefusal(error);
      post({ type: "refused", clientId, refusal, explanation: explain(refusal), now: now(), random: random() });
      if (refusal.code === "not_member") reading.becomeOutside(room);
    }
    pump();
  }

  function onStorage(event: StorageEvent): void {
    // Another window delivered or discarded it.
    const clientId = event.key !== null && event.newValue === null ? desk.unsentKey(event.key) : null;
    const entry = state().outbox.entries.find((other) => other.clientId === clientId);
    if (entry && entry.state !== "sending") post({ type: "discard", clientId: entry.clientId });
  }

  return {
    pump,
    send(room, text) {
      const clean = cleanText(text);
      if (!clean) return;
      setView(room, { newFrom: null });
      post({ type: "written", clientId: newClientId(), room, text: clean, now: now() });
      pump();
    },
    retry(clientId) {
      post({ type: "retry", clientId, newClientId: newClientId() });
      pump();
    },
    discard: (clientId) => post({ type: "discard", clientId }),
    onStorage,
    stop: () => clearTimeout(pumpTimer),
  };
}
