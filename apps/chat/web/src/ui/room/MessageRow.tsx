import { memo } from "react";
import type { Message } from "../../domain/model";
import { Avatar } from "../parts/Avatar";
import { Text } from "./Text";

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

interface Props {
  message: Message;
  follows: boolean;
  mine: boolean;
}

export const MessageRow = memo(function MessageRow({ message, follows, mine }: Props) {
  const name = message.author?.name ?? null;
  const at = new Date(message.created_at);
  const author = (
    <>
      {name ?? "Unknown"}
      {mine && <span className="muted"> (you)</span>}
    </>
  );
  const time = (
    <time dateTime={message.created_at} title={FULL.format(at)}>
      {CLOCK.format(at)}
    </time>
  );
  return (
    <li
      className={`message${follows ? " message-follows" : ""}${mine ? " message-mine" : ""}`}
      data-key={`message-${message.id}`}
    >
      {follows ? <span className="gutter">{time}</span> : <Avatar name={name} />}
      <div className="message-body">
        {follows ? (
          <span className="visually-hidden">{author}</span>
        ) : (
          <div className="meta">
            <span className="author">{author}</span> {time}
          </div>
        )}
        <Text text={message.text} />
      </div>
    </li>
  );
});
