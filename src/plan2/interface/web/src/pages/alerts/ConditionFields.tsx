/** The fields of a condition: those that its kind has. */

import { Autocomplete, Select, Textarea, TextInput } from "@mantine/core";
import { al, alertLabel } from "../../strings/alerts";
import { CHOICES, type Form, hasSymbol, hasThreshold, TESTS } from "./ruleForm";

type Props = { form: Form; set: (part: Partial<Form>) => void; symbols: string[] };

export function ConditionFields({ form, set, symbols }: Props) {
  const { kind } = form;
  return (
    <div className="alert-fields">
      {(hasSymbol(kind) || (kind === "profit" && form.of === "open")) && (
        <Autocomplete
          size="sm"
          label={al("rule.symbol")}
          data={symbols}
          value={form.symbol}
          onChange={(symbol) => set({ symbol })}
          data-testid="rule-symbol"
        />
      )}
      <OwnFields form={form} set={set} />
      {hasThreshold(kind) && <Threshold form={form} set={set} />}
    </div>
  );
}

type Part = Omit<Props, "symbols">;

function OwnFields({ form, set }: Part) {
  switch (form.kind) {
    case "price":
      return <Choice form={form} set={set} name="side" label="rule.side" of={CHOICES.side} />;
    case "move":
      return <Text form={form} set={set} name="window" label="rule.window" />;
    case "feature":
      return (
        <TextInput
          size="sm"
          className="is-wide"
          label={al("rule.formula")}
          description={al("rule.formula_hint")}
          value={form.formula}
          maxLength={400}
          onChange={(event) => set({ formula: event.currentTarget.value })}
        />
      );
    case "forecast":
    case "risk":
      return (
        <Choice form={form} set={set} name="figure" label="rule.figure" of={CHOICES[form.kind]} />
      );
    case "profit":
      return <Choice form={form} set={set} name="of" label="rule.figure" of={CHOICES.profit} />;
    case "health":
      return (
        <>
          <Choice form={form} set={set} name="figure" label="rule.figure" of={CHOICES.health} />
          <Text form={form} set={set} name="of" label="rule.stage" />
        </>
      );
    case "component":
      return (
        <>
          <Text form={form} set={set} name="of" label="rule.part" />
          <Choice form={form} set={set} name="status" label="rule.status" of={CHOICES.status} />
        </>
      );
    case "silence":
      return (
        <>
          <Choice form={form} set={set} name="what" label="rule.what" of={CHOICES.what} />
          <Text form={form} set={set} name="of" label="rule.of" />
          <Text form={form} set={set} name="seconds" label="rule.seconds" />
        </>
      );
    case "event":
      return (
        <>
          <Text form={form} set={set} name="event" label="rule.event" />
          <Textarea
            size="sm"
            className="is-wide"
            label={al("rule.where")}
            value={form.where}
            maxLength={1_000}
            onChange={(event) => set({ where: event.currentTarget.value })}
          />
        </>
      );
  }
}

function Threshold({ form, set }: Part) {
  const isWrong = form.level.trim() !== "" && !Number.isFinite(Number(form.level));
  return (
    <>
      <Choice form={form} set={set} name="test" label="rule.test" of={TESTS} />
      <TextInput
        size="sm"
        inputMode="decimal"
        label={al("rule.level")}
        value={form.level}
        error={isWrong ? al("rule.level_wrong") : undefined}
        data-testid="rule-level"
        onChange={(event) => set({ level: event.currentTarget.value })}
      />
      <Text form={form} set={set} name="rearm" label="rule.rearm" />
    </>
  );
}

type Label = Parameters<typeof al>[0];
type TextName = "window" | "of" | "seconds" | "event" | "rearm";
type ChoiceName = "side" | "status" | "what" | "figure" | "of" | "test";

function Text({ form, set, name, label }: Part & { name: TextName; label: Label }) {
  return (
    <TextInput
      size="sm"
      label={al(label)}
      value={form[name]}
      maxLength={64}
      onChange={(event) => set({ [name]: event.currentTarget.value })}
    />
  );
}

function Choice({
  form,
  set,
  name,
  label,
  of,
}: Part & { name: ChoiceName; label: Label; of: readonly string[] }) {
  const first = of[0] ?? "";
  return (
    <Select
      size="sm"
      label={al(label)}
      data={of.map((value) => ({ value, label: alertLabel("choice", value) }))}
      value={of.includes(form[name]) ? form[name] : first}
      allowDeselect={false}
      onChange={(value) => set({ [name]: value ?? first })}
    />
  );
}
