import { useEffect, useLayoutEffect, useState } from "react";
import { createChat } from "../state/chat";
import type { Session, SessionStore } from "../state/session";
import type { Api } from "../services/api";
import type { Location } from "../services/location";
import type { RawSocket } from "../services/socket";
import { createDesk, type Keeper } from "../services/storage";
import { Account } from "./account/Account";
import { ChatScreen } from "./ChatScreen";
import { useStore } from "./hooks";
import { NavigationContext } from "./navigation";
import { Button } from "./parts/Button";
import { Loading, StateCard } from "./parts/Notice";

export interface AppProps {
  api: Api;
  keeper: Keeper;
  session: SessionStore;
  location: Location;
  openSocket: () => RawSocket;
}

export function App(props: AppProps) {
  const { session, location } = props;
  const current = useStore(session);
  useEffect(() => {
    session.start();
    const stop = location.start();
    return () => {
      stop();
      session.stop();
    };
  }, [session, location]);
  return <NavigationContext.Provider value={location}>{screen(current, props)}</NavigationContext.Provider>;
}

function screen(current: Session, props: AppProps) {
  switch (current.status) {
    case "loading":
      return (
        <main className="page">
          <h1 className="visually-hidden">Chat</h1>
          <Loading label="Loading chat…" />
        </main>
      );
    case "away":
      return (
        <main className="page">
          <StateCard icon="unplugged" title="Chat is away" heading>
            <p role="status">{current.problem} Trying again automatically.</p>
            <Button icon="retry" look="primary" onClick={props.session.retry}>
              Try again now
            </Button>
          </StateCard>
        </main>
      );
    case "out":
      return <Account session={props.session} why={current.why} name={current.name} />;
    case "in":
      return <SignedIn key={current.user.id} user={current.user} {...props} />;
  }
}

function SignedIn({ user, api, keeper, session, openSocket }: AppProps & { user: { id: number; name: string } }) {
  const [chat] = useState(() =>
    createChat({
      me: { id: user.id, name: user.name },
      api,
      socket: openSocket(),
      desk: createDesk(keeper, user.id),
      onSessionEnd: session.ended,
    }),
  );
  // Before the effects of what is inside, which open a room.
  useLayoutEffect(() => {
    chat.start();
    return chat.stop;
  }, [chat]);
  return <ChatScreen chat={chat} onSignOut={session.signOut} />;
}
