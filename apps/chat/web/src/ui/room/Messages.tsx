import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { User } from "../../domain/model";
import type { Outbox, Unsent } from "../../domain/outbox";
import { dayKey, dayName, rows, type Row } from "../../domain/rows";
import { hasOlder } from "../../domain/timeline";
import type { Chat, RoomView } from "../../state/chat";
import { useToday } from "../hooks";
import { Button } from "../parts/Button";
import { Notice, StateCard } from "../parts/Notice";
import { MessageRow } from "./MessageRow";
import { useScrollPosition } from "./scroll";
import { UnsentList } from "./Unsent";

interface Props {
  room: string;
  view: RoomView;
  unsent: readonly Unsent[];
  hold: Outbox["hold"];
  online: boolean;
  me: User;
  chat: Chat;
}

export function Messages({ room, view, unsent, hold, online, me, chat }: Props) {
  const { messages } = view.timeline;
  const older = hasOlder(view.timeline);
  const lines = useMemo(() => rows(messages, view.newFrom, me), [messages, view.newFrom, me]);
  const last = messages.at(-1)?.id ?? 0;
  const { container, content, atEnd, toEnd } = useScrollPosition({
    version: `${messages[0]?.id ?? 0}-${last}-${messages.length}`,
    written: unsent.at(-1)?.clientId ?? "",
    onEnd: chat.watch,
    onStart: () => {
      if (older && view.older === "idle") void chat.loadOlder(room);
    },
  });
  const news = useNews(atEnd, last, view.timeline.messages, me);

  return (
    <div className="messages-area">
      {/* Scrolled with the keyboard, too. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="messages" ref={container} tabIndex={0} role="region" aria-label={`Messages in ${room}`}>
        <div className="messages-content" ref={content}>
          <div className="messages-start">
            {older ? (
              <Button busy={view.older === "loading"} look="quiet" onClick={() => void chat.loadOlder(room)}>
                {view.older === "failed" ? "Older messages could not be loaded. Try again" : "Older messages"}
              </Button>
            ) : (
              messages.length > 0 && <p className="muted">This is where #{room} begins.</p>
            )}
          </div>
          {messages.length === 0 && unsent.length === 0 && (
            <StateCard title="Nothing here yet">
              <p>Write the first message.</p>
            </StateCard>
          )}
          <MessageList lines={lines} me={me} room={room} />
          <UnsentList unsent={unsent} hold={hold} online={online} me={me} chat={chat} />
          {view.problem && (
            <Notice tone="danger">
              New messages may be missing. {view.problem}{" "}
              <button type="button" className="link-button" onClick={() => chat.reload(room)}>
                Try again now
              </button>
            </Notice>
          )}
        </div>
      </div>
      {!atEnd && (
        <div className="to-end">
          <Button look={news > 0 ? "primary" : "plain"} icon="down" onClick={toEnd}>
            {news > 0 ? `${news} new ${news === 1 ? "message" : "messages"}` : "Newest messages"}
          </Button>
        </div>
      )}
    </div>
  );
}

const MessageList = memo(function MessageList({ lines, me, room }: { lines: readonly Row[]; me: User; room: string }) {
  const today = useToday();
  return (
    <ol className="message-list" aria-label={`Messages in ${room}, oldest first`}>
      {lines.map((row) => {
        switch (row.type) {
          case "day":
            return (
              <li key={row.key} className="day">
                <time dateTime={dayKey(row.day)}>{dayName(row.day, today)}</time>
              </li>
            );
          case "new":
            return (
              <li key={row.key} className="new-line">
                <span>New</span>
              </li>
            );
          case "message":
            return (
              <MessageRow
                key={row.key}
                message={row.message}
                follows={row.follows}
                mine={row.message.author?.id === me.id}
              />
            );
        }
      })}
    </ol>
  );
});

/** How many messages of others came since the reader scrolled away from the end. */
function useNews(atEnd: boolean, last: number, messages: RoomView["timeline"]["messages"], me: User): number {
  const [since, setSince] = useState(last);
  const newest = useRef(last);
  useLayoutEffect(() => {
    newest.current = last;
  }, [last]);
  useEffect(() => {
    if (!atEnd) setSince(newest.current);
  }, [atEnd]);
  return atEnd ? 0 : messages.filter(({ id, author }) => id > since && author?.id !== me.id).length;
}
