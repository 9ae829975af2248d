import { createRoot } from "react-dom/client";
import { createApi } from "./services/api";
import { createLocation } from "./services/location";
import { openSocketIo } from "./services/socketio";
import { createKeeper } from "./services/storage";
import { createSession } from "./state/session";
import { App } from "./ui/App";
import "./ui/styles/tokens.css";
import "./ui/styles/base.css";
import "./ui/styles/parts.css";
import "./ui/styles/layout.css";
import "./ui/styles/room.css";

const api = createApi({ fetch: (input, init) => window.fetch(input, init), onSessionEnd: () => session.ended() });
const keeper = createKeeper(() => window.localStorage);
const session = createSession(api, keeper);
const location = createLocation();

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <App api={api} keeper={keeper} session={session} location={location} openSocket={openSocketIo} />,
  );
}
