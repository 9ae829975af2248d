import { useCallback, useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from "react";
import { asRefusal, type Refusal } from "../domain/refusal";
import type { Store } from "../state/store";

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}

/** Part of a store's value; renders again only when that part is another. */
export function usePart<T, P>(store: Store<T>, part: (value: T) => P): P {
  return useSyncExternalStore(store.subscribe, () => part(store.get()));
}

/** Something that takes a while and may be refused; one at a time. */
export function useTask(): {
  busy: boolean;
  refusal: Refusal | null;
  run: (task: () => Promise<void>) => void;
  clear: () => void;
} {
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const running = useRef(false);
  const run = useCallback((task: () => Promise<void>) => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setRefusal(null);
    task()
      .catch((error: unknown) => setRefusal(asRefusal(error)))
      .finally(() => {
        running.current = false;
        setBusy(false);
      });
  }, []);
  const clear = useCallback(() => setRefusal(null), []);
  return { busy, refusal, run, clear };
}

export function useMedia(query: string): boolean {
  const subscribe = useCallback(
    (listener: () => void) => {
      const list = window.matchMedia(query);
      list.addEventListener("change", listener);
      return () => list.removeEventListener("change", listener);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => window.matchMedia(query).matches);
}

/** Seconds left of a time to wait that starts with every new subject. */
export function useCountdown(subject: object | null, seconds: number): number {
  const [passed, setPassed] = useState<{ subject: object | null; seconds: number }>({ subject: null, seconds: 0 });
  useEffect(() => {
    if (!subject || seconds <= 0) return;
    let count = 0;
    const timer = setInterval(() => setPassed({ subject, seconds: ++count }), 1000);
    return () => clearInterval(timer);
  }, [subject, seconds]);
  if (!subject) return 0;
  return Math.max(0, Math.ceil(seconds) - (passed.subject === subject ? passed.seconds : 0));
}

/** Now, as far as days go: another one after midnight. */
export function useToday(): Date {
  const [today, setToday] = useState(() => new Date());
  useEffect(() => {
    const midnight = new Date(today.getFullYear(), today.getMonth(), today.getDate() + 1);
    const timer = setTimeout(() => setToday(new Date()), midnight.getTime() - today.getTime() + 1000);
    return () => clearTimeout(timer);
  }, [today]);
  return today;
}

/** Focus once, when it appears. */
export function useFocusOnce<E extends HTMLElement>(): React.RefObject<E> {
  const ref = useRef<E>(null);
  useLayoutEffect(() => ref.current?.focus(), []);
  return ref;
}

/** The same inside of a dialog, which puts the focus somewhere itself when it opens. */
export function useFocusAfterOpening<E extends HTMLElement>(): React.RefObject<E> {
  const ref = useRef<E>(null);
  useEffect(() => {
    const timer = setTimeout(() => ref.current?.focus(), 0);
    return () => clearTimeout(timer);
  }, []);
  return ref;
}
