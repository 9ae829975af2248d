import { useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import { charactersLeft, cleanText } from "../../domain/limits";
import type { Chat } from "../../state/chat";
import { useMedia } from "../hooks";
import { Icon } from "../parts/Icon";

interface Props {
  room: string;
  chat: Pick<Chat, "send" | "draft" | "keepDraft">;
}

export function Composer({ room, chat }: Props) {
  const [text, setText] = useState(() => chat.draft(room));
  const input = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const left = charactersLeft(text.trim());
  const tooLong = left.shown && left.left < 0;
  // Where fingers type, the keyboard would cover what there is to read.
  const fingers = useMedia("(pointer: coarse)");

  useEffect(() => {
    const active = document.activeElement;
    if (!fingers && (active === document.body || active?.tagName === "H1")) input.current?.focus();
  }, [fingers]);

  useEffect(() => {
    const timer = setTimeout(() => chat.keepDraft(room, text), 300);
    return () => clearTimeout(timer);
  }, [chat, room, text]);
  const latest = useRef(text);
  useLayoutEffect(() => {
    latest.current = text;
  }, [text]);
  useEffect(() => () => chat.keepDraft(room, latest.current), [chat, room]);

  useLayoutEffect(() => {
    const area = input.current;
    if (!area) return;
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight}px`;
  }, [text]);

  function send() {
    if (!cleanText(text) || tooLong) return;
    chat.send(room, text);
    setText("");
    chat.keepDraft(room, "");
    input.current?.focus();
  }

  return (
    <form
      className="composer"
      aria-label="Write a message"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className={`composer-box${tooLong ? " composer-wrong" : ""}`}>
        <textarea
          ref={input}
          rows={1}
          aria-label={`Message #${room}`}
          aria-describedby={`${id}-help ${id}-left`}
          aria-invalid={tooLong || undefined}
          placeholder={`Message #${room}`}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            // An input method uses Enter for itself.
            if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
            event.preventDefault();
            send();
          }}
        />
        <button
          type="submit"
          className="send"
          aria-label="Send"
          title="Send"
          aria-disabled={!cleanText(text) || tooLong || undefined}
        >
          <Icon name="send" />
        </button>
      </div>
      <div className="composer-foot">
        <span id={`${id}-help`} className="composer-help">
          <kbd>Enter</kbd> sends, <kbd>Shift</kbd>+<kbd>Enter</kbd> starts a new line
        </span>
        <span id={`${id}-left`} className={`composer-left${tooLong ? " danger" : ""}`} role="status">
          {left.shown && (left.left < 0 ? `${-left.left} characters too many` : `${left.left} characters left`)}
        </span>
      </div>
    </form>
  );
}
