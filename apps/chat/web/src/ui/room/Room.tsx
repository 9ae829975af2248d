import { useCallback, useEffect, useRef, useState } from "react";
import { isRoomName } from "../../domain/limits";
import { unsentIn } from "../../domain/outbox";
import { findRoom } from "../../domain/rooms";
import { newView, type Chat } from "../../state/chat";
import { useMedia, useStore } from "../hooks";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { Loading, StateCard } from "../parts/Notice";
import { CreateRoom } from "../rooms/CreateRoom";
import { Announcer } from "./Announcer";
import { Composer } from "./Composer";
import { Members } from "./Members";
import { Messages } from "./Messages";
import { Outside } from "./Outside";
import { RoomHeader } from "./RoomHeader";
import { UnsentList } from "./Unsent";

export function Room({ chat, room }: { chat: Chat; room: string }) {
  const state = useStore(chat);
  const view = state.views[room] ?? newView;
  const known = findRoom(state.rooms, room);
  const wide = useMedia("(min-width: 64rem)");
  const [members, setMembers] = useState<boolean | null>(null);
  const showMembers = members ?? wide;
  const heading = useRef<HTMLHeadingElement>(null);
  // So that what is read out next is the room; the composer takes over as soon as it is there.
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  const closeMembers = useCallback(() => setMembers(false), []);

  const ready = view.status === "ready" || (view.status === "loading" && view.timeline.loaded);
  const unsent = unsentIn(state.outbox, room, view.timeline.messages);

  return (
    <div className="room-area">
      <main className="room" id="main" tabIndex={-1} aria-label={`Room ${room}`}>
        <RoomHeader
          ref={heading}
          room={room}
          topic={known?.topic ?? ""}
          online={view.presence?.size ?? null}
          {...(ready
            ? { showMembers, onMembers: () => setMembers(!showMembers), onLeave: () => chat.leave(room) }
            : {})}
        />
        {ready ? (
          <>
            <Messages
              room={room}
              view={view}
              unsent={unsent}
              hold={state.outbox.hold}
              online={state.connection.phase === "online"}
              me={state.me}
              chat={chat}
            />
            <Composer key={room} room={room} chat={chat} />
          </>
        ) : (
          <>
            {view.status === "loading" && <Loading label="Loading messages…" />}
            {view.status === "failed" && (
              <StateCard icon="unplugged" title="This room could not be loaded">
                <p role="alert">{view.problem} Trying again automatically.</p>
                <Button icon="retry" onClick={() => chat.reload(room)}>
                  Try again now
                </Button>
              </StateCard>
            )}
            {view.status === "missing" && <Missing chat={chat} room={room} />}
            {view.status === "outside" && <Outside chat={chat} room={room} known={known} />}
            {unsent.length > 0 && (
              <UnsentList
                unsent={unsent}
                hold={null}
                online={state.connection.phase === "online"}
                me={state.me}
                chat={chat}
              />
            )}
          </>
        )}
        <Announcer messages={state.heard} />
      </main>
      {ready && showMembers && wide && (
        // Scrolled with the keyboard, too.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <aside className="members" aria-label="Members" tabIndex={0}>
          <h2>Members</h2>
          <Members chat={chat} room={room} presence={view.presence} />
        </aside>
      )}
      {ready && members && !wide && (
        <Dialog title="Members" onClose={closeMembers}>
          <Members chat={chat} room={room} presence={view.presence} />
        </Dialog>
      )}
    </div>
  );
}

function Missing({ chat, room }: { chat: Chat; room: string }) {
  const [creating, setCreating] = useState(false);
  return (
    <StateCard icon="search" title="There is no such room">
      {isRoomName(room) ? (
        <>
          <p>You can be the first in it.</p>
          <Button look="primary" icon="plus" onClick={() => setCreating(true)}>
            Create #{room}
          </Button>
        </>
      ) : (
        <p>And there cannot be one of this name: rooms have small letters, digits, - and _.</p>
      )}
      {creating && (
        <CreateRoom
          name={room}
          chat={chat}
          onClose={() => {
            setCreating(false);
            chat.reload(room);
          }}
        />
      )}
    </StateCard>
  );
}
