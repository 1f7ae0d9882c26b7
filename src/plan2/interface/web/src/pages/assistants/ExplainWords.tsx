/** "Explain in plain words" on a decision, for whoever's tenant has an assistant. */

import { useState } from "react";
import { useRead } from "../../api/admin";
import { change } from "../../api/typed";
import { Refusal } from "../../asking/Refusal";
import { useAsking } from "../../asking/useAsking";
import { useRight } from "../../state/session";
import { as } from "../../strings/assistants";
import { type Generated, GeneratedText } from "./GeneratedText";

const WITHIN_MS = 150_000;
const MINUTE = 60_000;

export function ExplainWords({ id }: { id: string }) {
  return useRight("reader") ? <Words key={id} id={id} /> : null;
}

function Words({ id }: { id: string }) {
  const { data } = useRead("/api/v1/assistants", {}, { staleTime: MINUTE });
  const [text, setText] = useState<Generated | null>(null);
  const asking = useAsking<Generated>(
    (key) =>
      change(
        "post",
        "/api/v1/decisions/{decision_id}/explain",
        { path: { decision_id: id } },
        key,
        WITHIN_MS,
      ),
    setText,
    [],
  );
  if (!data?.providers.length) return null;
  return (
    <div className="stack">
      <div>
        <button
          type="button"
          className="ghost-button"
          disabled={asking.state.kind === "sending"}
          onClick={() => asking.send()}
          data-testid="explain-words"
        >
          {as(asking.state.kind === "sending" ? "explain.asking" : "explain.button")}
        </button>
      </div>
      <Refusal state={asking.state} />
      {text && <GeneratedText text={text} />}
    </div>
  );
}
