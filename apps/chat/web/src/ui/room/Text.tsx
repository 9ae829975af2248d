import { memo } from "react";
import { parts } from "../../domain/links";

/** What somebody wrote: always text, never markup. */
export const Text = memo(function Text({ text }: { text: string }) {
  return (
    <p className="text" dir="auto">
      {parts(text).map((part, index) =>
        part.type === "text" ? (
          part.text
        ) : (
          <a key={index} href={part.href} target="_blank" rel="noopener noreferrer">
            {part.text}
          </a>
        ),
      )}
    </p>
  );
});
