/** A secret that is shown this once: a key, codes, a link. It is kept nowhere by this page. */

import { Button } from "@mantine/core";
import { useState } from "react";
import { a } from "../strings/admin";
import { Icon } from "../widgets/Icon";
import { Note } from "./Note";

type Props = {
  title: string;
  /** One secret, or several that belong together. */
  secrets: readonly string[];
  hint: string;
  close: () => void;
};

export function OnceSecret({ title, secrets, hint, close }: Props) {
  const [isCopied, setCopied] = useState<boolean | null>(null);
  const copy = () => {
    // Without a secure context (a phone on plain http) there is no clipboard to write to.
    const writing = navigator.clipboard?.writeText(secrets.join("\n"));
    if (!writing) return setCopied(false);
    return void writing.then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  return (
    <div className="stack" data-testid="once-secret">
      <Note tone="warn">
        <b>{a("once.warning")}</b> {hint}
      </Note>
      <div>
        <p className="dim once-title">{title}</p>
        <ul className={`once ${secrets.length > 1 ? "is-list" : ""}`}>
          {secrets.map((secret) => (
            <li key={secret} className="mono">
              {secret}
            </li>
          ))}
        </ul>
      </div>
      <div className="row dialog-buttons">
        <span className="dim lack" role="status">
          {isCopied !== null && a(isCopied ? "once.copied" : "once.by_hand")}
        </span>
        <Button
          variant="default"
          size="sm"
          leftSection={<Icon name="copy" size={15} />}
          onClick={copy}
          data-autofocus
        >
          {a("once.copy")}
        </Button>
        <Button size="sm" onClick={close} data-testid="once-done">
          {a("once.done")}
        </Button>
      </div>
    </div>
  );
}
