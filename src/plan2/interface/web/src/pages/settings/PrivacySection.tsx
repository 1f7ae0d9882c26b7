/** My data: what I agreed to, and a copy of everything that is kept about me. */

import { Button, Switch } from "@mantine/core";
import { useState } from "react";
import { useConsents } from "../../api/admin";
import { change, type Item } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { Person } from "../../asking/Person";
import { Refusal } from "../../asking/Refusal";
import { useAsking } from "../../asking/useAsking";
import { useSession } from "../../state/session";
import { a } from "../../strings/admin";
import { downloadBlob } from "../../widgets/download";
import { Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { spoken } from "../../strings/told";

type Consent = Item<"/api/v1/consents">;

export function PrivacySection() {
  const query = useConsents();
  const [changing, setChanging] = useState<Consent | null>(null);
  const consents = query.data?.items ?? [];
  const history = query.data?.history ?? [];
  const state = widgetState(query, {
    isEmpty: consents.length === 0,
    title: a("consents.none"),
    hint: a("consents.none_hint"),
  });
  return (
    <>
      <Widget title={a("consents.title")} state={state}>
        <ul className="stack">
          {consents.map((consent) => (
            <li key={consent.purpose} className="stack is-tight">
              <Switch
                label={consent.title}
                checked={consent.is_given}
                onChange={() => setChanging(consent)}
              />
              <p className="dim" {...spoken(consent.text)} />
              {consent.is_given && consent.given_version < consent.version && (
                <p className="warn">{a("consents.older")}</p>
              )}
            </li>
          ))}
        </ul>
        {history.length > 0 && (
          <details className="past">
            <summary>{a("consents.history")}</summary>
            <ul>
              {history.map((entry) => (
                <li key={`${entry.at_us} ${entry.purpose}`} className="row wrap">
                  <Time us={entry.at_us} form="full" />
                  <span>
                    {entry.purpose}: {a(entry.is_given ? "consents.given" : "consents.withdrawn")}
                  </span>
                  <span className="dim">
                    <Person id={entry.actor} />
                  </span>
                </li>
              ))}
            </ul>
          </details>
        )}
      </Widget>
      <CopyWidget />
      {changing && <ConsentDialog consent={changing} close={() => setChanging(null)} />}
    </>
  );
}

function ConsentDialog({ consent, close }: { consent: Consent; close: () => void }) {
  const path = { purpose: consent.purpose };
  const body = { version: consent.version };
  return (
    <AskDialog
      title={consent.title}
      close={close}
      explain={
        <>
          <p {...spoken(consent.text)} />
          <p className="dim">
            {a(consent.is_given ? "consents.withdraw_explain" : "consents.give_explain")}
          </p>
        </>
      }
      confirm={a(consent.is_given ? "consents.withdraw" : "consents.give")}
      done={a("consents.done")}
      run={(key) =>
        consent.is_given
          ? change("delete", "/api/v1/consents/{purpose}", { path }, key)
          : change("put", "/api/v1/consents/{purpose}", { path, body }, key)
      }
    />
  );
}

/** Collecting everything about a person may take minutes. */
const COPY_MS = 10 * 60_000;

function CopyWidget() {
  const user_id = useSession((state) => state.session?.user_id ?? "");
  const asking = useAsking(
    (key) =>
      change("post", "/api/v1/privacy/{user_id}/export", { path: { user_id } }, key, COPY_MS),
    (file) => downloadBlob("plan2-my-data.zip", file),
  );
  return (
    <Widget title={a("copy.title")}>
      <div className="stack narrow">
        <p className="dim">{a("copy.explain")}</p>
        <Refusal state={asking.state} />
        <div>
          <Button
            variant="default"
            size="sm"
            disabled={user_id === "" || asking.state.kind === "sending"}
            onClick={() => asking.send()}
          >
            {a(asking.state.kind === "sending" ? "copy.making" : "copy.make")}
          </Button>
        </div>
      </div>
    </Widget>
  );
}
