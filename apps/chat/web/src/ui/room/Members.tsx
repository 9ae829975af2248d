import { useCallback, useEffect, useState } from "react";
import type { Member, User } from "../../domain/model";
import { partition, type Presence } from "../../domain/presence";
import { explain, type Refusal } from "../../domain/refusal";
import type { Chat } from "../../state/chat";
import { useTask } from "../hooks";
import { Avatar } from "../parts/Avatar";
import { Button } from "../parts/Button";
import { Loading } from "../parts/Notice";

interface Props {
  chat: Pick<Chat, "members" | "me">;
  room: string;
  presence: Presence;
}

export function Members({ chat, room, presence }: Props) {
  const [page, setPage] = useState<{ members: readonly Member[]; more: boolean } | null>(null);
  const { busy, refusal, run } = useTask();

  const read = useCallback(
    (known: readonly Member[]) =>
      run(async () => {
        const { members, more } = await chat.members(room, known.at(-1)?.name ?? null);
        setPage({ members: [...known, ...members], more });
      }),
    [chat, room, run],
  );
  useEffect(() => read([]), [read]);

  if (!page && !presence)
    return refusal ? <Failed refusal={refusal} onRetry={() => read([])} /> : <Loading label="Loading members…" />;
  const { online, offline } = partition(page?.members ?? [], presence);
  return (
    <>
      <Group title="Online" users={online} me={chat.me} />
      <Group title="Offline" users={offline} me={chat.me} />
      {refusal && <Failed refusal={refusal} onRetry={() => read(page?.members ?? [])} />}
      {page?.more && !refusal && (
        <Button busy={busy} onClick={() => read(page.members)}>
          More members
        </Button>
      )}
    </>
  );
}

function Failed({ refusal, onRetry }: { refusal: Refusal; onRetry: () => void }) {
  return (
    <div className="members-failed" role="alert">
      <p>The members could not be loaded. {explain(refusal)}</p>
      <Button icon="retry" onClick={onRetry}>
        Try again
      </Button>
    </div>
  );
}

function Group({ title, users, me }: { title: "Online" | "Offline"; users: readonly User[]; me: User }) {
  if (users.length === 0) return null;
  return (
    <section className={`member-group member-${title.toLowerCase()}`} aria-label={title}>
      <h3>
        {title} <span className="muted">{users.length}</span>
      </h3>
      <ul>
        {users.map(({ id, name }) => (
          <li key={id} className="member">
            <Avatar name={name} small />
            <span className="member-name">
              {name}
              {id === me.id && <span className="muted"> (you)</span>}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
