import { useState } from "react";
import { length, MAX_PASSWORD, MIN_PASSWORD, nameProblem, passwordProblem } from "../../domain/limits";
import { explain, sentence } from "../../domain/refusal";
import type { SessionStore } from "../../state/session";
import { useCountdown, useFocusOnce, useTask } from "../hooks";
import { Button } from "../parts/Button";
import { Field } from "../parts/Field";
import { Notice } from "../parts/Notice";
import { ThemeButton } from "../parts/ThemeButton";

interface Props {
  session: Pick<SessionStore, "signIn" | "signUp">;
  why: "never" | "left" | "ended";
  /** Who was signed in. */
  name: string;
}

export function Account({ session, why, name }: Props) {
  const [mode, setMode] = useState<"in" | "up">("in");
  return (
    <main className="page account">
      <div className="card">
        <header className="account-head">
          <img src="/icon.svg" alt="" width="44" height="44" />
          <h1>{mode === "in" ? "Sign in to Chat" : "Create an account"}</h1>
        </header>
        {why === "ended" && (
          <Notice tone="info" alert>
            Your session has ended. Sign in again to go on; what was not sent yet is kept.
          </Notice>
        )}
        {why === "left" && <Notice tone="info">You are signed out.</Notice>}
        <CredentialsForm key={mode} mode={mode} session={session} name={mode === "in" ? name : ""} />
        <p className="account-switch">
          {mode === "in" ? "No account yet?" : "You have an account?"}{" "}
          <button type="button" className="link-button" onClick={() => setMode(mode === "in" ? "up" : "in")}>
            {mode === "in" ? "Create one" : "Sign in"}
          </button>
        </p>
      </div>
      <div className="account-theme">
        <ThemeButton />
      </div>
    </main>
  );
}

function CredentialsForm({ mode, session, name: known }: Pick<Props, "session" | "name"> & { mode: "in" | "up" }) {
  const [name, setName] = useState(known);
  const [password, setPassword] = useState("");
  const [checked, setChecked] = useState(false);
  const { busy, refusal, run, clear } = useTask();
  const wait = useCountdown(refusal, refusal?.code === "rate_limited" ? (refusal.retryAfter ?? 0) : 0);
  const first = useFocusOnce<HTMLInputElement>();

  const up = mode === "up";
  const problems = {
    name: up ? nameProblem(name) : name ? null : "Enter your name.",
    password: up ? passwordProblem(password, name) : password ? null : "Enter your password.",
  };
  const problem = (field: "name" | "password") => {
    const refused = refusal?.fields[field];
    return refused ? sentence(refused) : checked ? problems[field] : null;
  };

  function submit() {
    setChecked(true);
    if (problems.name || problems.password || wait > 0) return;
    run(() => (up ? session.signUp({ name, password }) : session.signIn({ name, password })));
  }

  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {refusal && Object.keys(refusal.fields).length === 0 && (
        <Notice tone="danger" alert>
          {refusal.code === "name_taken"
            ? "This name is taken already. Choose another one."
            : refusal.code === "rate_limited" && wait > 0
              ? `Too many attempts. Try again in ${wait} s.`
              : explain(refusal)}
        </Notice>
      )}
      <Field
        ref={known ? undefined : first}
        label="Name"
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        value={name}
        {...(up ? { hint: "3 to 32 letters, digits, _ . and -" } : {})}
        problem={problem("name")}
        onChange={(event) => {
          setName(event.target.value.trim());
          if (wait === 0) clear();
        }}
      />
      <Field
        ref={known ? first : undefined}
        label="Password"
        type="password"
        name="password"
        autoComplete={up ? "new-password" : "current-password"}
        required
        value={password}
        {...(up
          ? { hint: `${MIN_PASSWORD} to ${MAX_PASSWORD} characters${password ? `; ${length(password)} so far` : ""}` }
          : {})}
        problem={problem("password")}
        onChange={(event) => {
          setPassword(event.target.value);
          if (wait === 0) clear();
        }}
      />
      <Button type="submit" look="primary" busy={busy} disabled={wait > 0}>
        {up ? "Create account" : "Sign in"}
      </Button>
    </form>
  );
}
