/** Every setting: its value, where it comes from, who may change it; changed with a reason. */

import { TextInput } from "@mantine/core";
import { useMemo, useState } from "react";
import { useSettings } from "../../api/admin";
import type { Item } from "../../api/typed";
import { Person } from "../../asking/Person";
import { a, named } from "../../strings/admin";
import { Time } from "../../widgets/Figures";
import { Icon } from "../../widgets/Icon";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { EditButton } from "./levels";
import { SettingDialog } from "./SettingDialog";
import { shownValue } from "./settingValues";
import { spoken } from "../../strings/told";

type Setting = Item<"/api/v1/settings">;

/** Settings by the part of the configuration that they belong to, in the order they came in. */
function byPart(settings: readonly Setting[]): [part: string, settings: Setting[]][] {
  const parts = new Map<string, Setting[]>();
  for (const setting of settings) {
    const part = setting.key.split(".")[0] ?? "";
    parts.set(part, [...(parts.get(part) ?? []), setting]);
  }
  return [...parts];
}

const isChanged = (setting: Setting): boolean => setting.levels.length > 0;

export function LimitsSection() {
  const query = useSettings();
  const [text, setText] = useState("");
  const [editing, setEditing] = useState("");
  const settings = useMemo(() => query.data?.items ?? [], [query.data]);
  const wanted = text.trim().toLowerCase();
  const shown = settings.filter(
    ({ key, doc }) => wanted === "" || key.includes(wanted) || doc.toLowerCase().includes(wanted),
  );
  const edited = settings.find(({ key }) => key === editing);
  const state = widgetState(query, {
    isEmpty: shown.length === 0,
    title: a(wanted ? "limits.none_match" : "limits.none"),
    hint: a(wanted ? "limits.none_match_hint" : "limits.none_hint"),
  });
  return (
    <>
      <Widget
        title={a("section.limits")}
        state={state}
        isFlush
        actions={
          <TextInput
            aria-label={a("limits.search")}
            placeholder={a("limits.search")}
            leftSection={<Icon name="search" size={14} />}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
        }
      >
        <p className="chain dim">{a("limits.explain")}</p>
        {byPart(shown).map(([part, members]) => (
          <section key={part} aria-label={part}>
            <h3 className="level-name">{part}</h3>
            <ul>
              {members.map((setting) => (
                <Row key={setting.key} setting={setting} edit={() => setEditing(setting.key)} />
              ))}
            </ul>
          </section>
        ))}
      </Widget>
      {edited && <SettingDialog setting={edited} close={() => setEditing("")} />}
    </>
  );
}

function Row({ setting, edit }: { setting: Setting; edit: () => void }) {
  const level = setting.levels.find((one) => one.scope === setting.origin_scope);
  return (
    <li className="setting" data-testid={`setting-${setting.key}`}>
      <div className="grow">
        <div className="row wrap">
          <b className="mono break">{setting.key}</b>
          {setting.is_locked && (
            <span className="chip is-warn" title={a("limits.locked_help")}>
              <Icon name="lock" size={12} />{" "}
              {setting.locked_by
                ? a("limits.locked_by", { level: named("level", setting.locked_by) })
                : a("limits.locked")}
            </span>
          )}
          {!setting.is_live && <span className="chip">{a("limits.restart")}</span>}
        </div>
        <p className="dim" {...spoken(setting.doc)} />
        {level && (
          <p className="faint">
            <Person id={level.changed_by} /> · <Time us={level.changed_us} form="short" />
            {level.reason && ` · ${level.reason}`}
          </p>
        )}
      </div>
      <div className="setting-value">
        <span className="mono break" data-testid="value">
          {shownValue(setting.value)}
        </span>
        <span className={`chip ${isChanged(setting) ? "is-accent" : ""}`} title={setting.origin}>
          {named("level", setting.origin_scope)}
        </span>
      </div>
      <EditButton name={setting.key} levels={setting.may_change} edit={edit} />
    </li>
  );
}
