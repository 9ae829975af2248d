import { explain } from "../../domain/refusal";
import type { Room } from "../../domain/model";
import type { Chat } from "../../state/chat";
import { useTask } from "../hooks";
import { Button } from "../parts/Button";
import { Notice, StateCard } from "../parts/Notice";

/** Only members read and write. */
export function Outside({ chat, room, known }: { chat: Pick<Chat, "join">; room: string; known: Room | undefined }) {
  const { busy, refusal, run } = useTask();
  return (
    <StateCard icon="people" title={`You are not in #${room}`}>
      {known?.topic && <p className="outside-topic">{known.topic}</p>}
      <p>{known ? `${known.members} ${known.members === 1 ? "member" : "members"}. ` : ""}Join to read and write.</p>
      {refusal && (
        <Notice tone="danger" alert>
          {explain(refusal)}
        </Notice>
      )}
      <Button look="primary" busy={busy} onClick={() => run(() => chat.join(room))}>
        Join #{room}
      </Button>
    </StateCard>
  );
}
