/** Changes a setting on one level, locks it there, or takes the level's own value away. */

import { Select, Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import { type Answer, change, type Given, type Item } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { Note } from "../../asking/Note";
import { a, named } from "../../strings/admin";
import { Segments } from "../../widgets/parts";
import { type Level, LevelChoice } from "./levels";
import { rangeOf, shownValue, textOf, valueFrom } from "./settingValues";
import { spoken } from "../../strings/told";

type Setting = Item<"/api/v1/settings">;
type Outcome = Answer<"put", "/api/v1/settings/tenant/{key}">;
/** What a setting can be; the field made sure of its kind. */
type Value = Given<"put", (typeof PATHS)[Level]>["body"]["value"];
type Deed = "set" | "unset";

const PATHS = {
  global: "/api/v1/settings/global/{key}",
  tenant: "/api/v1/settings/tenant/{key}",
  user: "/api/v1/settings/user/{key}",
} as const;

export function SettingDialog({ setting, close }: { setting: Setting; close: () => void }) {
  const levels = setting.may_change as Level[];
  const [level, setLevel] = useState<Level>(levels.at(-1) ?? "tenant");
  const [deed, setDeed] = useState<Deed>("set");
  const own = setting.levels.find((one) => one.scope === level);
  const [text, setText] = useState(textOf(setting.value));
  const [isLocked, setLocked] = useState(own?.is_locked ?? false);
  const typed = valueFrom(text, setting.type);
  const path = { key: setting.key };
  return (
    <AskDialog<Outcome>
      title={setting.key}
      close={close}
      needsReason
      explain={
        <>
          <p {...spoken(setting.doc)} />
          <p className="dim">
            {a("setting.now", {
              value: shownValue(setting.value),
              level: named("level", setting.origin_scope),
              standard: shownValue(setting.default),
            })}
          </p>
        </>
      }
      confirm={a(deed === "set" ? "setting.set" : "setting.unset")}
      isReady={deed === "unset" || typed.fault === ""}
      run={(key, reason) =>
        deed === "unset"
          ? change("delete", PATHS[level], { path, query: { reason } }, key)
          : change(
              "put",
              PATHS[level],
              { path, body: { value: typed.value as Value, locked: isLocked, reason } },
              key,
            )
      }
      after={(outcome) => <Told outcome={outcome} />}
    >
      <LevelChoice levels={levels} value={level} onChange={setLevel} />
      {own && (
        <Segments<Deed>
          label={a("setting.deed")}
          value={deed}
          onChange={setDeed}
          options={[
            { value: "set", text: a("setting.set") },
            { value: "unset", text: a("setting.unset") },
          ]}
        />
      )}
      {deed === "set" && (
        <ValueField setting={setting} text={text} setText={setText} fault={typed.fault} />
      )}
      {deed === "set" && level !== "user" && (
        <Switch
          label={a("setting.lock")}
          description={a("setting.lock_help")}
          checked={isLocked}
          onChange={(event) => setLocked(event.currentTarget.checked)}
        />
      )}
      {setting.is_limit && <Note tone="dim">{a("setting.four_eyes")}</Note>}
      {!setting.is_live && <Note tone="warn">{a("setting.restart")}</Note>}
    </AskDialog>
  );
}

type FieldProps = {
  setting: Setting;
  text: string;
  setText: (text: string) => void;
  fault: string;
};

function ValueField({ setting, text, setText, fault }: FieldProps) {
  const { type } = setting;
  const options =
    type.kind === "boolean"
      ? [
          { value: "true", label: a("word.on") },
          { value: "false", label: a("word.off") },
        ]
      : type.choices;
  if (type.kind === "boolean" || type.choices.length > 0)
    return (
      <Select
        size="sm"
        label={a("setting.value")}
        data={options}
        value={text}
        allowDeselect={false}
        onChange={(value) => setText(value ?? text)}
      />
    );
  const isJson = type.kind === "list" || type.kind === "map";
  return (
    <TextInput
      size="sm"
      label={a("setting.value")}
      description={isJson ? a("setting.json") : rangeOf(type) || undefined}
      inputWrapperOrder={["label", "input", "description", "error"]}
      value={text}
      error={fault || undefined}
      autoComplete="off"
      data-autofocus
      data-testid="setting-value"
      onChange={(event) => setText(event.currentTarget.value)}
    />
  );
}

/** Applied at once, or proposed to a second person. */
function Told({ outcome }: { outcome: Outcome }) {
  if (outcome.outcome === "proposed")
    return (
      <div className="stack">
        <p>{a("setting.proposed")}</p>
        <p>
          <Link href="/settings/approvals">{a("setting.to_approvals")}</Link>
        </p>
      </div>
    );
  return <p className="ok">{a("setting.applied", { value: shownValue(outcome.value) })}</p>;
}
