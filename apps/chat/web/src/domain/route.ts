export type Route = { page: "rooms" } | { page: "room"; room: string } | { page: "unknown" };

export function parseRoute(path: string): Route {
  if (path === "/" || path === "" || path === "/index.html" || /^\/rooms\/?$/.test(path)) return { page: "rooms" };
  const [, encoded] = /^\/rooms\/([^/]+)\/?$/.exec(path) ?? [];
  if (!encoded) return { page: "unknown" };
  try {
    return { page: "room", room: decodeURIComponent(encoded) };
  } catch {
    return { page: "unknown" };
  }
}

export function roomPath(room: string): string {
  return `/rooms/${encodeURIComponent(room)}`;
}

export function pageTitle(route: Route, unread: number): string {
  const place = route.page === "room" ? `#${route.room} · ` : "";
  return `${unread > 0 ? `(${unread > 99 ? "99+" : unread}) ` : ""}${place}Chat`;
}
