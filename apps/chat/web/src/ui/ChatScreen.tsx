import { useEffect, useState } from "react";
import { pageTitle, parseRoute, roomPath } from "../domain/route";
import { totalUnread } from "../domain/unread";
import type { Chat, ChatState } from "../state/chat";
import { ConnectionBar } from "./ConnectionBar";
import { usePart, useStore } from "./hooks";
import { useNavigation } from "./navigation";
import { Link } from "./parts/Link";
import { StateCard } from "./parts/Notice";
import { Room } from "./room/Room";
import { Sidebar } from "./rooms/Sidebar";

interface Props {
  chat: Chat;
  onSignOut: () => Promise<void>;
}

const unreadTotal = ({ unread, rooms }: ChatState) =>
  totalUnread(
    unread,
    rooms.all.filter(({ joined }) => joined).map(({ name }) => name),
  );

/** Who is signed in: the rooms on one side, one of them on the other; side by side where there is space. */
export function ChatScreen({ chat, onSignOut }: Props) {
  const navigation = useNavigation();
  const path = useStore(navigation);
  const route = parseRoute(path);
  const room = route.page === "room" ? route.room : null;
  const unread = usePart(chat, unreadTotal);
  useHomeRoom(chat);

  useEffect(() => chat.open(room), [chat, room]);
  useEffect(() => {
    document.title = pageTitle(parseRoute(path), unread);
  }, [path, unread]);
  useEffect(
    () => () => {
      document.title = "Chat";
    },
    [],
  );

  return (
    <div className="chat" data-page={route.page === "rooms" ? "rooms" : "room"}>
      <a className="skip-link" href="#main">
        Skip to the room
      </a>
      <Sidebar chat={chat} room={room} onSignOut={onSignOut} />
      <div className="stage">
        <ConnectionBar chat={chat} />
        {room !== null ? (
          <Room key={room} chat={chat} room={room} />
        ) : (
          <main className="room" id="main" tabIndex={-1}>
            {route.page === "rooms" ? (
              <StateCard icon="people" title="Choose a room" heading>
                <p>Pick one from the list, or create your own.</p>
              </StateCard>
            ) : (
              <StateCard icon="search" title="There is no such page" heading>
                <p>
                  <Link to="/">Back to the rooms</Link>
                </p>
              </StateCard>
            )}
          </main>
        )}
      </div>
    </div>
  );
}

/** Who comes to / goes on in the room of the last visit; who goes to / later wants the list. */
function useHomeRoom(chat: Chat): void {
  const navigation = useNavigation();
  const [first] = useState(() => parseRoute(navigation.get()).page === "rooms");
  useEffect(() => {
    if (first) navigation.go(roomPath(chat.lastRoom() ?? "lobby"), { replace: true });
  }, [first, chat, navigation]);
}
