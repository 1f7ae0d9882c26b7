/** A new version of a flow from a text or a file; what is wrong is shown in its line. */

import { FileButton, Textarea } from "@mantine/core";
import { useState } from "react";
import { type Answer, change } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { Note } from "../../asking/Note";
import { w } from "../../strings/flows";
import { FlowText } from "./FlowText";
import { spoken } from "../../strings/told";

type Verdict = Answer<"post", "/api/v1/flows/check">;

const CHANGED = ["flows"] as const;

export function RegisterDialog({ close }: { close: () => void }) {
  const [text, setText] = useState("");
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const write = (next: string) => {
    setText(next);
    setVerdict(null);
  };
  const check = async () => {
    setVerdict(
      await change("post", "/api/v1/flows/check", { body: { text } }, crypto.randomUUID()),
    );
  };
  return (
    <AskDialog
      title={w("act.register")}
      close={close}
      explain={<p>{w("register.explain")}</p>}
      confirm={w("act.register")}
      done={(flow: Answer<"post", "/api/v1/flows">) =>
        w("register.done", { name: flow.name, version: flow.version })
      }
      changed={CHANGED}
      isReady={text.trim() !== ""}
      run={(key) => change("post", "/api/v1/flows", { body: { text } }, key)}
    >
      <Textarea
        label={w("register.text")}
        value={text}
        minRows={8}
        maxRows={20}
        autosize
        spellCheck={false}
        classNames={{ input: "mono" }}
        onChange={(event) => write(event.currentTarget.value)}
        data-testid="flow-text-input"
      />
      <div className="row wrap">
        <FileButton accept=".toml" onChange={(file) => void file?.text().then(write)}>
          {(props) => (
            <button type="button" className="ghost-button" {...props}>
              {w("register.file")}
            </button>
          )}
        </FileButton>
        <button
          type="button"
          className="ghost-button"
          disabled={text.trim() === ""}
          onClick={() => void check()}
          data-testid="flow-check"
        >
          {w("register.check")}
        </button>
      </div>
      {verdict?.is_usable && <Note tone="dim">{w("register.usable")}</Note>}
      {verdict && !verdict.is_usable && (
        <>
          <Note tone="crit" testId="flow-wrong">
            <span {...spoken(verdict.message, verdict.remedy)} />
          </Note>
          {verdict.line > 0 && <FlowText text={text} wrong={verdict.line} />}
        </>
      )}
    </AskDialog>
  );
}
