import type { User } from "../../domain/model";
import type { Outbox, Unsent } from "../../domain/outbox";
import type { Chat } from "../../state/chat";
import { Avatar } from "../parts/Avatar";
import { Button } from "../parts/Button";
import { Icon } from "../parts/Icon";
import { Text } from "./Text";

interface Props {
  unsent: readonly Unsent[];
  hold: Outbox["hold"];
  online: boolean;
  me: User;
  chat: Pick<Chat, "retrySending" | "discard">;
}

/** What the writer has sent and the service does not have yet, in the order in which it goes out. */
export function UnsentList({ unsent, hold, online, me, chat }: Props) {
  if (unsent.length === 0) return null;
  return (
    <ol className="unsent" aria-label="Not sent yet">
      {unsent.map((entry) => (
        <li key={entry.clientId} className={`message message-${entry.state}`}>
          <Avatar name={me.name} />
          <div className="message-body">
            <div className="meta">
              <span className="author">
                {me.name}
                <span className="muted"> (you)</span>
              </span>
            </div>
            <Text text={entry.text} />
            {entry.state === "failed" ? (
              <div className="failed" role="alert">
                <span className="failed-why">
                  <Icon name="warning" />
                  Not sent. {entry.problem?.text}
                </span>
                <span className="failed-actions">
                  <Button look="quiet" icon="retry" onClick={() => chat.retrySending(entry.clientId)}>
                    Retry
                  </Button>
                  <Button look="quiet" icon="trash" onClick={() => chat.discard(entry.clientId)}>
                    Discard
                  </Button>
                </span>
              </div>
            ) : (
              <p className="pending">
                <Icon name="clock" />
                {pendingWords(entry, hold, online)}
              </p>
            )}
          </div>
        </li>
      ))}
    </ol>
  );
}

function pendingWords(entry: Unsent, hold: Outbox["hold"], online: boolean): string {
  if (entry.state === "sending") return "Sending…";
  if (!online) return "Will be sent once connected";
  if (hold?.why === "rate_limited") return "Too many at once: sent in a moment";
  if (hold?.why === "unavailable") return "Chat is not available: trying again in a moment";
  return "Waiting…";
}
