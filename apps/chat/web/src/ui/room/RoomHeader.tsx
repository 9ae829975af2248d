import { forwardRef } from "react";
import { explain } from "../../domain/refusal";
import { useTask } from "../hooks";
import { Button, IconButton } from "../parts/Button";
import { Icon } from "../parts/Icon";
import { Link } from "../parts/Link";

interface Props {
  room: string;
  topic: string;
  /** How many are online, where that is known. */
  online: number | null;
  showMembers?: boolean;
  onMembers?: () => void;
  onLeave?: () => Promise<void>;
}

export const RoomHeader = forwardRef<HTMLHeadingElement, Props>(function RoomHeader(props, ref) {
  const { room, topic, online, showMembers, onMembers, onLeave } = props;
  const { busy, refusal, run } = useTask();
  return (
    <header className="room-head">
      <Link to="/" className="icon-button back" aria-label="All rooms">
        <Icon name="back" />
      </Link>
      <div className="room-title">
        <h1 ref={ref} tabIndex={-1}>
          <span className="hash" aria-hidden="true">
            #
          </span>
          {room}
        </h1>
        {refusal ? (
          <p className="room-topic danger" role="alert">
            {explain(refusal)}
          </p>
        ) : (
          topic && (
            <p className="room-topic" title={topic}>
              {topic}
            </p>
          )
        )}
      </div>
      {onMembers && (
        <Button look="quiet" icon="people" aria-expanded={showMembers} onClick={onMembers} title="Members">
          <span className="visually-hidden">Members, </span>
          {online ?? <span className="visually-hidden">not counted yet</span>}
          {online !== null && <span className="room-online"> online</span>}
        </Button>
      )}
      {onLeave && (
        <IconButton icon="leave" label={`Leave #${room}`} aria-busy={busy || undefined} onClick={() => run(onLeave)} />
      )}
    </header>
  );
});
