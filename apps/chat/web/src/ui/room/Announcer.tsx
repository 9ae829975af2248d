import type { Message } from "../../domain/model";

const LONGEST = 300;

/**
 * What others just wrote, for screen readers. The messages themselves are no live region, because older ones are put in
 * front of them, and those are no news.
 */
export function Announcer({ messages }: { messages: readonly Message[] }) {
  return (
    <div className="visually-hidden" role="log" aria-label="New messages" aria-relevant="additions">
      {messages.map(({ id, author, text }) => (
        <p key={id}>
          {author?.name ?? "Somebody"}: {text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text}
        </p>
      ))}
    </div>
  );
}
