const PATHS = {
  send: "M3.5 12 20 4l-4.5 16-4-6.5L3.5 12Zm8 1.5L20 4",
  back: "M15 5l-7 7 7 7",
  people:
    "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 19.5c.6-3.3 3.2-5.2 6.5-5.2s5.9 1.9 6.5 5.2M16 5a3.3 3.3 0 0 1 0 6.3M18 14.8c1.9.7 3.1 2.3 3.5 4.7",
  plus: "M12 5v14M5 12h14",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14Zm5-2 4.5 4.5",
  close: "M6 6l12 12M18 6 6 18",
  leave: "M14 4h4a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-4M10 8l-4 4 4 4M6 12h9",
  power: "M12 3.5v8M7.3 6.5a7.5 7.5 0 1 0 9.4 0",
  down: "M12 5v14M6 13l6 6 6-6",
  clock: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17ZM12 7.5V12l3 2",
  warning: "M12 4 2.8 19.5h18.4L12 4Zm0 6v4.5m0 2.5v.1",
  retry: "M19.5 12a7.5 7.5 0 1 1-2.3-5.4M19.5 3.5v4.2h-4.2",
  trash: "M5 7h14M10 4h4M7 7l1 13h8l1-13M10.5 11v5.5M13.5 11v5.5",
  system: "M4 5h16v11H4zM9 20h6M12 16v4",
  light:
    "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 2.5v2.5M12 19v2.5M2.5 12H5M19 12h2.5M5.3 5.3 7 7M17 17l1.7 1.7M5.3 18.7 7 17M17 7l1.7-1.7",
  dark: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z",
  unplugged:
    "M4 4l16 16M8.5 8.8A9 9 0 0 0 5 11M2 8a14 14 0 0 1 4-2.6M10.5 4.2A14 14 0 0 1 22 8M15.5 9a9 9 0 0 1 3.5 2M8 14a5.5 5.5 0 0 1 5.5-1.5M12 18v.1",
} as const;

export type IconName = keyof typeof PATHS;

/** Decoration: the words are beside it, or on the button around it. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
