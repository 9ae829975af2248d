import { describe } from "../domain/connection";
import type { Chat } from "../state/chat";
import { usePart } from "./hooks";
import { Button } from "./parts/Button";
import { Icon } from "./parts/Icon";

/** How it stands with the live connection; always there for screen readers, to be seen only when something is up. */
export function ConnectionBar({ chat }: { chat: Chat }) {
  const connection = usePart(chat, (state) => state.connection);
  const words = describe(connection);
  const back = !words && connection.before;
  return (
    <div className={`connection${words ? ` connection-${words.tone}` : ""}`}>
      <div role="status" aria-label="Connection">
        {words ? (
          <>
            {words.tone === "warning" ? <Icon name="unplugged" /> : <span className="spinner" aria-hidden="true" />}
            {words.text}
          </>
        ) : (
          <span className="visually-hidden">{back ? "Connected." : ""}</span>
        )}
      </div>
      {words?.retry && (
        <Button look="quiet" onClick={chat.reconnect}>
          Try now
        </Button>
      )}
    </div>
  );
}
