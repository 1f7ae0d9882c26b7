/** A new backtest: the flow's text, what it runs on and under which conditions; errors in place. */

import { FileButton, Select, Textarea, TextInput } from "@mantine/core";
import { useEffect, useState } from "react";
import type { Outline } from "../../api/backtests";
import { newKey } from "../../api/client";
import { type Job, useTraining } from "../../api/jobs";
import { type Answer, change } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { Note } from "../../asking/Note";
import { b } from "../../strings/backtests";
import { FlowPicker } from "../flows/FlowPicker";
import { dayOf } from "../training/parameters";
import {
  bodyOf,
  EMPTY,
  type Form,
  isAmount,
  isRange,
  isReady,
  isSeed,
  numberOf,
  type Typed,
} from "./newRun";

const QUIET_MS = 400;

type Choices = Answer<"get", "/api/v1/training">["symbols"];
type PartProps = { form: Form; set: (part: Partial<Form>) => void };

/** What is wrong with a flow and what it lets one choose; asked when typing pauses. */
function useOutline(flow: string): Outline | null {
  const [found, setFound] = useState<{ of: string; outline: Outline } | null>(null);
  useEffect(() => {
    if (flow.trim() === "") return undefined;
    const timer = setTimeout(() => {
      change("post", "/api/v1/backtests/check", { body: { flow } }, newKey())
        .then((outline) => setFound({ of: flow, outline }))
        .catch(() => setFound(null));
    }, QUIET_MS);
    return () => clearTimeout(timer);
  }, [flow]);
  return found?.of === flow ? found.outline : null;
}

export function NewRunDialog({ close }: { close: () => void }) {
  const choices = useTraining().data?.symbols ?? [];
  const [form, setForm] = useState(EMPTY);
  const outline = useOutline(form.flow);
  const set = (part: Partial<Form>) => setForm((old) => ({ ...old, ...part }));
  const meant = form.symbol || outline?.symbol || "";
  const isArchived = choices.some((one) => one.symbol === meant);
  return (
    <AskDialog<Job>
      title={b("new.title")}
      close={close}
      explain={<p className="dim">{b("new.explain")}</p>}
      confirm={b("new.start")}
      done={b("new.started")}
      isReady={outline?.problem === "" && isArchived && isReady(form)}
      run={(key) =>
        change("post", "/api/v1/backtests", { body: bodyOf(form, outline?.parameters ?? {}) }, key)
      }
    >
      <FlowPicker take={(flow) => set({ flow })} />
      <FlowField flow={form.flow} outline={outline} onChange={(flow) => set({ flow })} />
      <SymbolField form={form} set={set} outline={outline} choices={choices} />
      <Days form={form} set={set} hint={archivedText(choices, meant)} />
      <Numbers
        title={b("new.parameters")}
        usual={outline?.parameters ?? {}}
        typed={form.parameters}
        change={(parameters) => set({ parameters })}
      />
      <Conditions form={form} set={set} outline={outline} />
      <TextInput
        size="sm"
        inputMode="numeric"
        label={b("new.seed")}
        placeholder={String(outline?.execution.seed ?? 1)}
        value={form.seed}
        error={isSeed(form.seed) ? undefined : b("new.seed_wrong")}
        onChange={(event) => set({ seed: event.currentTarget.value })}
      />
    </AskDialog>
  );
}

type SymbolProps = PartProps & { outline: Outline | null; choices: Choices };

function SymbolField({ form, set, outline, choices }: SymbolProps) {
  const meant = form.symbol || outline?.symbol || "";
  const isArchived = choices.some((one) => one.symbol === meant);
  return (
    <Select
      size="sm"
      label={b("new.symbol")}
      description={outline?.symbol ? b("new.symbol_hint", { symbol: outline.symbol }) : undefined}
      data={choices.map((one) => one.symbol)}
      value={meant || null}
      error={meant && !isArchived ? b("new.not_archived", { symbol: meant }) : undefined}
      onChange={(chosen) => set({ symbol: chosen ?? "" })}
      data-testid="backtest-symbol"
    />
  );
}

function Days({ form, set, hint }: PartProps & { hint: string }) {
  return (
    <div className="backtest-fields">
      <TextInput
        size="sm"
        type="date"
        label={b("new.from")}
        description={hint}
        value={form.from}
        onChange={(event) => set({ from: event.currentTarget.value })}
      />
      <TextInput
        size="sm"
        type="date"
        label={b("new.to")}
        value={form.to}
        error={isRange(form) ? undefined : b("new.range_wrong")}
        onChange={(event) => set({ to: event.currentTarget.value })}
      />
    </div>
  );
}

type FlowFieldProps = { flow: string; outline: Outline | null; onChange: (text: string) => void };

function FlowField({ flow, outline, onChange }: FlowFieldProps) {
  const [isUnreadable, setUnreadable] = useState(false);
  const open = (file: File | null) => {
    if (!file) return;
    file
      .text()
      .then((text) => {
        setUnreadable(false);
        onChange(text);
      })
      .catch(() => setUnreadable(true));
  };
  const said =
    flow.trim() === ""
      ? ""
      : outline === null
        ? b("new.checking")
        : outline.problem || b("new.fine", { name: outline.name, period: outline.period });
  return (
    <>
      <Textarea
        size="sm"
        label={b("new.text")}
        className="backtest-flow"
        autosize
        minRows={8}
        maxRows={16}
        spellCheck={false}
        value={flow}
        error={isUnreadable ? b("new.file_wrong") : outline?.problem || undefined}
        onChange={(event) => onChange(event.currentTarget.value)}
        data-testid="backtest-flow"
        data-autofocus
      />
      <div className="limit-head">
        <FileButton accept=".toml,text/plain,application/toml" onChange={open}>
          {(props) => (
            <button type="button" className="ghost-button" {...props}>
              {b("new.file")}
            </button>
          )}
        </FileButton>
        <span className="dim" role="status">
          {outline?.problem ? "" : said}
        </span>
      </div>
    </>
  );
}

type NumbersProps = {
  title: string;
  usual: Record<string, number>;
  typed: Typed;
  change: (typed: Typed) => void;
};

function Numbers({ title, usual, typed, change: set }: NumbersProps) {
  const names = Object.keys(usual);
  if (names.length === 0) return null;
  return (
    <fieldset className="backtest-fieldset">
      <legend>{title}</legend>
      <div className="backtest-fields">
        {names.map((name) => (
          <NumberField
            key={name}
            name={name}
            label={name}
            usual={String(usual[name])}
            typed={typed}
            change={set}
          />
        ))}
      </div>
    </fieldset>
  );
}

type NumberFieldProps = {
  name: string;
  label: string;
  usual: string;
  typed: Typed;
  change: (typed: Typed) => void;
};

function NumberField({ name, label, usual, typed, change: set }: NumberFieldProps) {
  const text = typed[name] ?? usual;
  return (
    <TextInput
      size="sm"
      inputMode="decimal"
      label={label}
      value={text}
      error={numberOf(text) === null ? b("new.number_wrong") : undefined}
      onChange={(event) => set({ ...typed, [name]: event.currentTarget.value })}
      data-testid={`backtest-${name}`}
    />
  );
}

function Conditions({ form, set, outline }: PartProps & { outline: Outline | null }) {
  if (!outline?.name) return null;
  const usual = outline.execution;
  const field = (name: string, label: string) => (
    <NumberField
      name={name}
      label={label}
      usual={String(usual[name] ?? 0)}
      typed={form.costs}
      change={(costs) => set({ costs })}
    />
  );
  return (
    <fieldset className="backtest-fieldset">
      <legend>{b("new.costs")}</legend>
      <div className="backtest-fields">
        {field("latency_ms", b("new.latency"))}
        {field("slippage_points", b("new.slippage"))}
        <TextInput
          size="sm"
          inputMode="decimal"
          label={b("new.commission")}
          description={b("new.commission_hint")}
          value={form.costs.commission_per_lot ?? String(usual.commission_per_lot ?? "")}
          error={isAmount(form.costs.commission_per_lot) ? undefined : b("new.commission_wrong")}
          onChange={(event) =>
            set({ costs: { ...form.costs, commission_per_lot: event.currentTarget.value } })
          }
        />
      </div>
      <label className="backtest-check">
        <input
          type="checkbox"
          checked={form.isSwapped ?? usual.swap !== false}
          onChange={(event) => set({ isSwapped: event.currentTarget.checked })}
        />
        {b("new.swap")}
      </label>
      {outline.description && <Note tone="dim">{outline.description}</Note>}
    </fieldset>
  );
}

function archivedText(choices: Choices, symbol: string): string {
  const found = choices.find((one) => one.symbol === symbol);
  return found
    ? b("new.archived", { first: dayOf(found.first_us), last: dayOf(found.last_us) })
    : "";
}
