import type { ReactNode } from "react";
import { Icon, type IconName } from "./Icon";

/** A line of news inside a page or form. `role="alert"` where it interrupts what somebody just did. */
export function Notice({
  tone,
  children,
  alert = false,
}: {
  tone: "info" | "danger";
  children: ReactNode;
  alert?: boolean;
}) {
  return (
    <div className={`notice notice-${tone}`} role={alert ? "alert" : undefined}>
      <Icon name={tone === "danger" ? "warning" : "clock"} />
      <div>{children}</div>
    </div>
  );
}

interface StateProps {
  icon?: IconName;
  title: string;
  heading?: boolean;
  children?: ReactNode;
}

/** In the place of content: nothing there, something went wrong, or a decision is due. */
export function StateCard({ icon, title, heading = false, children }: StateProps) {
  return (
    <div className="state">
      {icon && (
        <span className="state-icon">
          <Icon name={icon} />
        </span>
      )}
      {heading ? <h1>{title}</h1> : <p className="state-title">{title}</p>}
      {children}
    </div>
  );
}

export function Loading({ label }: { label: string }) {
  return (
    <div className="state" role="status">
      <span className="spinner spinner-large" aria-hidden="true" />
      <p className="muted">{label}</p>
    </div>
  );
}
