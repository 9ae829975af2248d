import { useState } from "react";
import { explain } from "../../domain/refusal";
import { useTask } from "../hooks";
import { Button, IconButton } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { Notice } from "../parts/Notice";

interface Props {
  /** How many messages are not sent yet. */
  unsent: number;
  onSignOut: () => Promise<void>;
  onForget: () => void;
}

/** Asks only where there is something to lose, or where it did not work. */
export function SignOut({ unsent, onSignOut, onForget }: Props) {
  const [asking, setAsking] = useState(false);
  const { refusal, busy, run, clear } = useTask();

  function signOut(forget: boolean) {
    run(async () => {
      await onSignOut();
      if (forget) onForget();
    });
  }

  function close() {
    setAsking(false);
    clear();
  }

  return (
    <>
      <IconButton
        icon="power"
        label="Sign out"
        onClick={() => (unsent > 0 ? setAsking(true) : signOut(false))}
        aria-busy={busy || undefined}
      />
      {(asking || refusal) && (
        <Dialog title="Sign out" onClose={close}>
          {refusal && (
            <Notice tone="danger" alert>
              Signing out did not work. {explain(refusal)}
            </Notice>
          )}
          {unsent > 0 && (
            <p>
              {unsent === 1 ? "One message is" : `${unsent} messages are`} not sent yet. They can stay on this device
              and are sent when you sign in here again.
            </p>
          )}
          <div className="dialog-actions">
            <Button onClick={close}>Cancel</Button>
            {unsent > 0 && (
              <Button look="danger" busy={busy} onClick={() => signOut(true)}>
                Discard and sign out
              </Button>
            )}
            <Button look="primary" busy={busy} onClick={() => signOut(false)}>
              {unsent > 0 ? "Keep and sign out" : "Try again"}
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
