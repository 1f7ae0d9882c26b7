/** Feature flags: what is switched on, on which level, and switching it. */

import { useState } from "react";
import { useFlags } from "../../api/admin";
import { change, type Item } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { a, named } from "../../strings/admin";
import { Segments } from "../../widgets/parts";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { EditButton, type Level, LevelChoice } from "./levels";
import { spoken } from "../../strings/told";

type Flag = Item<"/api/v1/flags">;
type Wanted = "on" | "off" | "inherit";

const PATHS = {
  global: "/api/v1/flags/global/{flag}",
  tenant: "/api/v1/flags/tenant/{flag}",
  user: "/api/v1/flags/user/{flag}",
} as const;

export function FlagsSection() {
  const query = useFlags();
  const [changing, setChanging] = useState("");
  const flags = query.data?.items ?? [];
  const changed = flags.find(({ flag }) => flag === changing);
  const state = widgetState(query, {
    isEmpty: flags.length === 0,
    title: a("flags.none"),
    hint: a("flags.none_hint"),
  });
  return (
    <>
      <Widget title={a("section.flags")} state={state} isFlush>
        <ul>
          {flags.map((flag) => (
            <li key={flag.flag} className="setting" data-testid={`flag-${flag.flag}`}>
              <div className="grow">
                <b className="mono break">{flag.flag}</b>
                <p className="dim" {...spoken(flag.doc)} />
                {flag.used_by && (
                  <p className="faint">{a("flags.used_by", { what: flag.used_by })}</p>
                )}
              </div>
              <div className="setting-value">
                <span className={`chip ${flag.is_on ? "is-ok" : ""}`}>
                  {a(flag.is_on ? "word.on" : "word.off")}
                </span>
                <span className="chip" title={flag.origin}>
                  {named("level", flag.origin.split(":")[0] ?? "")}
                </span>
              </div>
              <EditButton
                name={flag.flag}
                levels={flag.may_change}
                edit={() => setChanging(flag.flag)}
              />
            </li>
          ))}
        </ul>
      </Widget>
      {changed && <FlagDialog flag={changed} close={() => setChanging("")} />}
    </>
  );
}

const VALUES = { on: true, off: false, inherit: null } as const;

function FlagDialog({ flag, close }: { flag: Flag; close: () => void }) {
  const levels = flag.may_change as Level[];
  const [level, setLevel] = useState<Level>(levels.at(-1) ?? "tenant");
  const [wanted, setWanted] = useState<Wanted>(flag.is_on ? "off" : "on");
  const isSetHere = flag.levels.some((one) => one.scope === level);
  return (
    <AskDialog
      title={flag.flag}
      close={close}
      needsReason
      explain={<p {...spoken(flag.doc)} />}
      confirm={a("flags.switch")}
      done={a("flags.done", { flag: flag.flag })}
      run={(key, reason) =>
        change(
          "put",
          PATHS[level],
          { path: { flag: flag.flag }, body: { is_on: VALUES[wanted], reason } },
          key,
        )
      }
    >
      <LevelChoice levels={levels} value={level} onChange={setLevel} />
      <Segments<Wanted>
        label={a("setting.value")}
        value={wanted}
        onChange={setWanted}
        options={[
          { value: "on", text: a("word.on") },
          { value: "off", text: a("word.off") },
          ...(isSetHere ? [{ value: "inherit" as const, text: a("setting.unset") }] : []),
        ]}
      />
    </AskDialog>
  );
}
