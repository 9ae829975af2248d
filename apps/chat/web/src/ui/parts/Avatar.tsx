import { hue, initials } from "../../domain/faces";

/** Decoration; the name stands beside it. */
export function Avatar({ name, small = false }: { name: string | null; small?: boolean }) {
  return (
    <span
      className={`avatar${small ? " avatar-small" : ""}`}
      data-hue={name === null ? undefined : hue(name)}
      aria-hidden="true"
    >
      {name === null ? "?" : initials(name)}
    </span>
  );
}
