import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from "react";

const NEAR_END = 48;
const NEAR_START = 400;

interface Options {
  /** Changes whenever messages were added or taken away. */
  version: string;
  /** Changes when the reader wrote something: that is shown in any case. */
  written: string;
  onEnd: (atEnd: boolean) => void;
  onStart: () => void;
}

interface Position {
  container: RefObject<HTMLDivElement>;
  content: RefObject<HTMLDivElement>;
  atEnd: boolean;
  toEnd: () => void;
}

/**
 * Stays at the end while the reader is there, and at the same message otherwise, whatever is added above or below it.
 */
export function useScrollPosition({ version, written, onEnd, onStart }: Options): Position {
  const container = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const sticks = useRef(true);
  /** A message and how far below the upper edge of the view it was. */
  const anchor = useRef<{ key: string; offset: number } | null>(null);
  const handlers = useRef({ onEnd, onStart });
  useLayoutEffect(() => {
    handlers.current = { onEnd, onStart };
  });

  const look = useCallback(() => {
    const box = container.current;
    if (!box) return;
    const end = box.scrollHeight - box.clientHeight - box.scrollTop <= NEAR_END;
    if (end !== sticks.current) {
      sticks.current = end;
      setAtEnd(end);
      handlers.current.onEnd(end);
    }
    anchor.current = findAnchor(box);
    if (box.scrollTop < NEAR_START) handlers.current.onStart();
  }, []);

  const toEnd = useCallback(() => {
    const box = container.current;
    if (box) box.scrollTop = box.scrollHeight;
    look();
  }, [look]);

  useLayoutEffect(() => {
    const box = container.current;
    if (!box) return;
    if (sticks.current) {
      box.scrollTop = box.scrollHeight;
    } else if (anchor.current) {
      const element = box.querySelector<HTMLElement>(`[data-key="${anchor.current.key}"]`);
      if (element) box.scrollTop += element.offsetTop - box.scrollTop - anchor.current.offset;
    }
    look();
  }, [version, look]);

  useLayoutEffect(() => {
    if (written) toEnd();
  }, [written, toEnd]);

  useEffect(() => {
    const box = container.current;
    if (!box) return;
    box.addEventListener("scroll", look, { passive: true });
    // The keyboard of a phone, a longer draft, a font that arrives late.
    const observer =
      typeof ResizeObserver === "undefined"
        ? null
        : new ResizeObserver(() => {
            if (sticks.current) box.scrollTop = box.scrollHeight;
          });
    observer?.observe(box);
    if (content.current) observer?.observe(content.current);
    handlers.current.onEnd(sticks.current);
    return () => {
      box.removeEventListener("scroll", look);
      observer?.disconnect();
    };
  }, [look]);

  return { container, content, atEnd, toEnd };
}

/** The first message in view. */
function findAnchor(box: HTMLElement): { key: string; offset: number } | null {
  const elements = box.querySelectorAll<HTMLElement>("[data-key]");
  let low = 0;
  let high = elements.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    const element = elements[middle];
    if (element && element.offsetTop + element.offsetHeight < box.scrollTop) low = middle + 1;
    else high = middle;
  }
  const found = elements[low];
  const key = found?.dataset["key"];
  return found && key ? { key, offset: found.offsetTop - box.scrollTop } : null;
}
