/** A text that a language model worded, marked as such; or our own sentence and why. */

import type { Answer } from "../../api/typed";
import { as } from "../../strings/assistants";
import "../../styles/assistants.css";
import { spoken } from "../../strings/told";

export type Generated = Answer<"post", "/api/v1/assistants/report">;

export function GeneratedText({ text }: { text: Generated }) {
  const { is_generated, provider, model, refused } = text;
  return (
    <div
      className={`generated ${is_generated ? "" : "is-own"}`}
      role="status"
      data-testid="generated"
    >
      <p>{text.text}</p>
      <p className="dim">
        {is_generated ? as("explain.generated", { provider, model }) : as("explain.own")}{" "}
        {!is_generated && <span {...spoken(refused)} />}
      </p>
    </div>
  );
}
