import { useState } from "react";
import { roomNameProblem, topicProblem } from "../../domain/limits";
import { explain, sentence } from "../../domain/refusal";
import { roomPath } from "../../domain/route";
import type { Chat } from "../../state/chat";
import { useFocusAfterOpening, useTask } from "../hooks";
import { useNavigation } from "../navigation";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { Field } from "../parts/Field";
import { Notice } from "../parts/Notice";

interface Props {
  chat: Pick<Chat, "create">;
  name?: string;
  onClose: () => void;
}

export function CreateRoom({ chat, name: wanted = "", onClose }: Props) {
  const navigation = useNavigation();
  const [name, setName] = useState(wanted);
  const [topic, setTopic] = useState("");
  const [checked, setChecked] = useState(false);
  const { busy, refusal, run, clear } = useTask();
  const first = useFocusAfterOpening<HTMLInputElement>();

  const taken = refusal?.code === "name_taken" ? "There is a room of this name already." : null;
  const refused = (field: string) => {
    const text = refusal?.fields[field];
    return text ? sentence(text) : null;
  };
  const nameProblem = taken ?? refused("name") ?? (checked ? roomNameProblem(name) : null);
  const wrongTopic = refused("topic") ?? (checked ? topicProblem(topic) : null);

  function submit() {
    setChecked(true);
    if (roomNameProblem(name) || topicProblem(topic)) return;
    run(async () => {
      await chat.create(name, topic.trim());
      onClose();
      navigation.go(roomPath(name));
    });
  }

  return (
    <Dialog title="Create a room" onClose={onClose}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        {refusal && !nameProblem && !wrongTopic && (
          <Notice tone="danger" alert>
            {explain(refusal)}
          </Notice>
        )}
        <Field
          ref={first}
          label="Name"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          required
          hint="Small letters, digits, - and _"
          value={name}
          problem={nameProblem}
          onChange={(event) => {
            setName(event.target.value.trimStart());
            clear();
          }}
        />
        <Field
          label="Topic (optional)"
          autoComplete="off"
          value={topic}
          problem={wrongTopic}
          onChange={(event) => {
            setTopic(event.target.value);
            clear();
          }}
        />
        <div className="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={busy}>
            Create
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
