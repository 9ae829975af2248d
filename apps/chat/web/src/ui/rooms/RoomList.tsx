import { memo, useDeferredValue, useState } from "react";
import type { Room } from "../../domain/model";
import type { Outbox } from "../../domain/outbox";
import { filterRooms, type Rooms } from "../../domain/rooms";
import { roomPath } from "../../domain/route";
import { badge, unreadIn, type Unread } from "../../domain/unread";
import { Button } from "../parts/Button";
import { Icon } from "../parts/Icon";
import { Link } from "../parts/Link";
import { Loading, StateCard } from "../parts/Notice";

interface Props {
  rooms: Rooms;
  unread: Unread;
  outbox: Outbox;
  current: string | null;
  onReload: () => void;
  onCreate: () => void;
}

export const RoomList = memo(function RoomList({ rooms, unread, outbox, current, onReload, onCreate }: Props) {
  const [filter, setFilter] = useState("");
  const found = filterRooms(rooms.all, useDeferredValue(filter));
  const mine = found.filter(({ joined }) => joined);
  const others = found.filter(({ joined }) => !joined);

  const item = (room: Room) => (
    <RoomItem
      key={room.name}
      room={room}
      current={room.name === current}
      badge={room.joined ? badge(unreadIn(unread, room.name)) : ""}
      unsent={outbox.entries.filter((entry) => entry.room === room.name).length}
    />
  );

  return (
    <>
      <div className="filter">
        <Icon name="search" />
        <input
          type="search"
          aria-label="Find a room"
          placeholder="Find a room"
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") setFilter("");
          }}
        />
        <span className="visually-hidden" role="status">
          {filter && rooms.status === "ready" ? `${found.length} ${found.length === 1 ? "room" : "rooms"} found` : ""}
        </span>
      </div>
      <div className="room-list">
        {rooms.status === "loading" && rooms.all.length === 0 && <Loading label="Loading rooms…" />}
        {rooms.status === "failed" && (
          <StateCard title="The rooms could not be loaded">
            <p role="alert">{rooms.problem}</p>
            <Button icon="retry" onClick={onReload}>
              Try again
            </Button>
          </StateCard>
        )}
        {rooms.status === "ready" && found.length === 0 && (
          <StateCard title={filter ? "No room is called that" : "There are no rooms yet"}>
            <Button icon="plus" onClick={onCreate}>
              Create one
            </Button>
          </StateCard>
        )}
        {mine.length > 0 && (
          <section aria-label="Your rooms">
            <h2>Your rooms</h2>
            <ul>{mine.map(item)}</ul>
          </section>
        )}
        {others.length > 0 && (
          <section aria-label="Other rooms">
            <h2>Other rooms</h2>
            <ul>{others.map(item)}</ul>
          </section>
        )}
      </div>
    </>
  );
});

const RoomItem = memo(function RoomItem(props: { room: Room; current: boolean; badge: string; unsent: number }) {
  const { room, current, badge: count, unsent } = props;
  return (
    <li>
      <Link
        to={roomPath(room.name)}
        className={`room-item${count ? " room-item-unread" : ""}`}
        aria-current={current ? "page" : undefined}
        title={room.topic || undefined}
      >
        <span className="room-item-name">
          <span className="hash" aria-hidden="true">
            #
          </span>
          <span className="room-item-text">{room.name}</span>
        </span>
        {unsent > 0 && (
          <span className="room-item-unsent" title={`${unsent} not sent yet`}>
            <Icon name="clock" />
            <span className="visually-hidden">{unsent} not sent yet</span>
          </span>
        )}
        {count && (
          <span className="badge">
            {count}
            {count !== "new" && <span className="visually-hidden"> unread</span>}
          </span>
        )}
        {!room.joined && (
          <span className="room-item-members">
            <Icon name="people" />
            {room.members}
            <span className="visually-hidden"> {room.members === 1 ? "member" : "members"}</span>
          </span>
        )}
      </Link>
    </li>
  );
});
