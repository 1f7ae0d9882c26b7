/** The keys that data is sealed with: where they come from, how old they are, replacing them. */

import { useState } from "react";
import { useSecretKeys } from "../../api/admin";
import { change, type Answer } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { Person } from "../../asking/Person";
import { useRight } from "../../state/session";
import { words } from "../../strings";
import { a } from "../../strings/admin";
import { spoken } from "../../strings/told";
import { Hash, Pair, Time } from "../../widgets/Figures";
import { statusLook } from "../../widgets/status";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";

type Keys = Answer<"get", "/api/v1/secrets/keys">;
type Level = "tenant" | "root";

export function EncryptionSection() {
  const query = useSecretKeys();
  const isOperator = useRight("operator");
  const [rotating, setRotating] = useState<Level | null>(null);
  return (
    <>
      <Widget
        title={a("section.encryption")}
        state={widgetState(query)}
        actions={
          <span className="row wrap">
            <button type="button" className="ghost-button" onClick={() => setRotating("tenant")}>
              {a("encryption.rotate_tenant")}
            </button>
            {isOperator && (
              <button type="button" className="ghost-button" onClick={() => setRotating("root")}>
                {a("encryption.rotate_root")}
              </button>
            )}
          </span>
        }
      >
        {query.data && <Shown keys={query.data} />}
      </Widget>
      {rotating && (
        <AskDialog
          title={a(`encryption.rotate_${rotating}`)}
          close={() => setRotating(null)}
          explain={<p>{a(`encryption.rotate_${rotating}_explain`)}</p>}
          confirm={a(`encryption.rotate_${rotating}`)}
          done={a("encryption.begun")}
          run={(key) =>
            change("post", "/api/v1/secrets/rotate", { body: { level: rotating } }, key)
          }
        />
      )}
    </>
  );
}

function Shown({ keys }: { keys: Keys }) {
  const { provider } = keys;
  return (
    <div className="stack">
      <p className="dim">{a("encryption.explain")}</p>
      <dl className="pairs is-left">
        <Pair name={a("encryption.provider")}>
          <span className={statusLook(keys.provider_state).tone}>{words(keys.provider_state)}</span>{" "}
          {keys.provider_detail}
        </Pair>
        {provider && (
          <>
            <Pair name={a("field.kind")}>{provider.kind}</Pair>
            <Pair name={a("encryption.place")}>
              <span className="mono break">{provider.place}</span>
            </Pair>
            <Pair name={a("encryption.protection")}>
              <span {...spoken(provider.protection)} />
            </Pair>
            <Pair name={a("encryption.root_key")}>
              <Hash value={provider.current_key} length={12} />
            </Pair>
          </>
        )}
        <Pair name={a("encryption.people")}>{keys.people}</Pair>
      </dl>
      <h3 className="about-head">{a("encryption.tenant_keys")}</h3>
      <ul className="stack is-tight">
        {keys.tenant_keys.map((key) => (
          <li key={key.key_id} className="row wrap">
            <b>{a("encryption.version", { version: key.version })}</b>
            <Hash value={key.key_id} length={12} />
            <Time us={key.created_us} form="short" />
            {key.is_current && <span className="chip is-ok">{a("encryption.current")}</span>}
            {key.is_behind && <span className="chip is-warn">{a("encryption.behind")}</span>}
          </li>
        ))}
      </ul>
      <h3 className="about-head">{a("encryption.rotations")}</h3>
      {keys.rotations.length === 0 && <p className="dim">{a("encryption.none")}</p>}
      <ul className="stack is-tight">
        {keys.rotations.map((rotation) => (
          <li key={rotation.rotation_id} className="row wrap">
            <Time us={rotation.started_us} form="short" />
            <span>{words(rotation.level)}</span>
            <span className="dim">{a("encryption.rewrapped", { count: rotation.rewrapped })}</span>
            <span className={rotation.finished_us ? "ok" : "warn"}>
              {a(rotation.finished_us ? "encryption.finished" : "encryption.running")}
            </span>
            <Person id={rotation.started_by} />
          </li>
        ))}
      </ul>
    </div>
  );
}
