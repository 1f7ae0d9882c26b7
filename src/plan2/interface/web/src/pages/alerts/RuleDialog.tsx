/** The form of a rule, with what it would see now. */

import { MultiSelect, Select, Switch, TextInput, Textarea } from "@mantine/core";
import { type Dispatch, type SetStateAction, useEffect, useState } from "react";
import { type Rule, useChannels } from "../../api/alerts";
import { newKey } from "../../api/client";
import { useSymbols } from "../../api/queries";
import { type Answer, change } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { al, alertLabel } from "../../strings/alerts";
import { ConditionFields } from "./ConditionFields";
import { bodyOf, type Form, formOf, KINDS, type Kind, type RuleBody, waysOf } from "./ruleForm";
import { spokenSentence } from "../../strings/told";

type Props = { close: () => void; rule?: Rule };
const LOOK_AFTER_MS = 500;

export function RuleDialog({ close, rule }: Props) {
  const { data: symbols } = useSymbols();
  const { data: channels } = useChannels();
  const names = (symbols ?? []).map(({ symbol }) => symbol);
  const [form, setForm] = useState<Form>(() => formOf(names[0] ?? "EURUSD", rule));
  const set = (part: Partial<Form>) => setForm((old) => ({ ...old, ...part }));
  const body = bodyOf(form, rule);
  const ways = waysOf(channels).map((value) => ({ value, label: wayName(value) }));
  return (
    <AskDialog<Rule>
      title={al(rule ? "rules.change" : "rules.new")}
      close={close}
      explain={<Trial body={body} />}
      confirm={al("rules.save")}
      done={al("rules.saved")}
      isReady={body !== null}
      run={(key) => {
        if (!body) throw new Error("the form is not complete");
        return rule
          ? change(
              "put",
              "/api/v1/alerts/rules/{rule_id}",
              { path: { rule_id: rule.rule_id }, body },
              key,
            )
          : change("post", "/api/v1/alerts/rules", { body }, key);
      }}
    >
      <TextInput
        size="sm"
        label={al("rules.name")}
        value={form.name}
        maxLength={80}
        data-autofocus
        data-testid="rule-name"
        onChange={(event) => set({ name: event.currentTarget.value })}
      />
      <Select
        size="sm"
        label={al("rule.kind")}
        data={KINDS.map((value) => ({ value, label: alertLabel("kind", value) }))}
        value={form.kind}
        allowDeselect={false}
        searchable
        data-testid="rule-kind"
        onChange={(value) => set({ kind: (value ?? "price") as Kind, figure: "", of: "" })}
      />
      <ConditionFields form={form} set={set} symbols={names} />
      <Telling form={form} set={set} ways={ways} />
      <When form={form} setForm={setForm} />
    </AskDialog>
  );
}

/** A way as people read it: the web app, Telegram, or a channel with its name. */
function wayName(value: string): string {
  const [way = "", name = ""] = value.split(":");
  if (way === "web") return al("rule.to_web");
  if (way === "telegram") return al("rule.to_telegram");
  return al(way === "email" ? "rule.to_email" : "rule.to_webhook", { name });
}

type FieldsProps = { form: Form; set: (part: Partial<Form>) => void };

function Telling({ form, set, ways }: FieldsProps & { ways: { value: string; label: string }[] }) {
  return (
    <div className="alert-fields">
      <MultiSelect
        size="sm"
        className="is-wide"
        label={al("rule.to")}
        data={ways}
        value={form.to}
        onChange={(to) => set({ to })}
        data-testid="rule-to"
      />
      <Select
        size="sm"
        label={al("rule.severity")}
        data={["info", "warning", "critical"].map((value) => ({
          value,
          label: alertLabel("severity", value),
        }))}
        value={form.severity}
        allowDeselect={false}
        onChange={(value) => set({ severity: value ?? "warning" })}
      />
      <Select
        size="sm"
        label={al("rule.repeat")}
        data={[
          { value: "every_time", label: al("rule.every") },
          { value: "once", label: al("rule.once") },
        ]}
        value={form.repeat}
        allowDeselect={false}
        onChange={(value) => set({ repeat: value ?? "every_time" })}
      />
      <Text form={form} set={set} name="pause" label={al("rule.pause")} />
      <Text form={form} set={set} name="escalateMinutes" label={al("rule.escalate")} />
      {Number(form.escalateMinutes) > 0 && (
        <MultiSelect
          size="sm"
          className="is-wide"
          label={al("rule.escalate_to")}
          data={ways}
          value={form.escalateTo}
          onChange={(escalateTo) => set({ escalateTo })}
        />
      )}
    </div>
  );
}

type WhenProps = { form: Form; setForm: Dispatch<SetStateAction<Form>> };

function When({ form, setForm }: WhenProps) {
  const set = (part: Partial<Form>) => setForm((old) => ({ ...old, ...part }));
  return (
    <div className="alert-fields">
      <TextInput
        size="sm"
        type="time"
        label={al("rule.from")}
        value={form.start}
        onChange={(event) => set({ start: event.currentTarget.value || "00:00" })}
      />
      <TextInput
        size="sm"
        type="time"
        label={al("rule.until")}
        value={form.end}
        onChange={(event) => set({ end: event.currentTarget.value || "00:00" })}
      />
      <Text form={form} set={set} name="zone" label={al("rule.zone")} />
      <Textarea
        size="sm"
        className="is-wide"
        label={al("rule.note")}
        value={form.note}
        maxLength={500}
        onChange={(event) => set({ note: event.currentTarget.value.replaceAll("\n", " ") })}
      />
      <Switch
        label={al("rule.enabled")}
        checked={form.isEnabled}
        onChange={(event) => set({ isEnabled: event.currentTarget.checked })}
      />
    </div>
  );
}

type TextName = "pause" | "escalateMinutes" | "zone";

function Text({ form, set, name, label }: FieldsProps & { name: TextName; label: string }) {
  return (
    <TextInput
      size="sm"
      label={label}
      value={form[name]}
      onChange={(event) => set({ [name]: event.currentTarget.value })}
    />
  );
}

type Seen = Answer<"post", "/api/v1/alerts/rules/try">;

/** What the rule would see now; asked a moment after the last change of the form. */
function Trial({ body }: { body: RuleBody | null }) {
  const [told, setTold] = useState<{ asked: string; found: Seen | string } | null>(null);
  const asked = body ? JSON.stringify(body) : "";
  useEffect(() => {
    if (!asked) return undefined;
    let isCurrent = true;
    const waiting = setTimeout(() => {
      change("post", "/api/v1/alerts/rules/try", { body: JSON.parse(asked) as RuleBody }, newKey())
        .then((found) => isCurrent && setTold({ asked, found }))
        .catch((error: unknown) => {
          if (isCurrent) setTold({ asked, found: (error as Error).message });
        });
    }, LOOK_AFTER_MS);
    return () => {
      isCurrent = false;
      clearTimeout(waiting);
    };
  }, [asked]);
  if (!asked)
    return (
      <p className="alert-try dim" role="status">
        {al("try.incomplete")}
      </p>
    );
  const seen = told?.asked === asked ? told.found : null;
  return (
    <p className="alert-try" role="status" data-testid="rule-try">
      {seen === null && <span className="dim">{al("try.asking")}</span>}
      {typeof seen === "string" && seen}
      {seen !== null && typeof seen !== "string" && (
        <>
          <b>{al(seen.would_fire ? "try.fires" : "try.quiet")}</b>{" "}
          <span {...spokenSentence(seen.now)} />
        </>
      )}
    </p>
  );
}
