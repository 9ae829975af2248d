import { useState } from "react";
import type { Chat } from "../../state/chat";
import { usePart, useStore } from "../hooks";
import { Avatar } from "../parts/Avatar";
import { IconButton } from "../parts/Button";
import { ThemeButton } from "../parts/ThemeButton";
import { CreateRoom } from "./CreateRoom";
import { RoomList } from "./RoomList";
import { SignOut } from "./SignOut";

interface Props {
  chat: Chat;
  room: string | null;
  onSignOut: () => Promise<void>;
}

export function Sidebar({ chat, room, onSignOut }: Props) {
  const [creating, setCreating] = useState(false);
  const unsent = usePart(chat, (state) => state.outbox);
  const state = useStore(chat);
  return (
    <nav className="sidebar" aria-label="Rooms">
      <header className="sidebar-head">
        <span className="brand">
          <img src="/icon.svg" alt="" width="26" height="26" />
          Chat
        </span>
        <IconButton icon="plus" label="Create a room" onClick={() => setCreating(true)} />
      </header>
      <RoomList
        rooms={state.rooms}
        unread={state.unread}
        outbox={unsent}
        current={room}
        onReload={() => void chat.reloadRooms()}
        onCreate={() => setCreating(true)}
      />
      <footer className="sidebar-foot">
        <Avatar name={chat.me.name} small />
        <span className="sidebar-me" title={chat.me.name}>
          <span className="visually-hidden">Signed in as </span>
          {chat.me.name}
        </span>
        <ThemeButton />
        <SignOut unsent={unsent.entries.length} onSignOut={onSignOut} onForget={chat.forgetUnsent} />
      </footer>
      {creating && <CreateRoom chat={chat} onClose={() => setCreating(false)} />}
    </nav>
  );
}
