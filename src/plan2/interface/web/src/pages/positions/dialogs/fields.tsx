/** Fields of tickets: numbers on their grid, and an instant in the chosen zone. */

import { TextInput } from "@mantine/core";
import type { KeyboardEvent, ReactNode } from "react";
import { zoneName } from "../../../format/times";
import { useZone } from "../../../state/preferences";
import type { Zone } from "../../../format/times";
import { t } from "../../../strings";
import { decimalsOf, numberOf } from "./figures";

type NumberProps = {
  label: string;
  value: string;
  change: (text: string) => void;
  /** What the arrow keys add; the typed value is not changed otherwise. */
  step: number;
  /** Where the arrow keys start while the field is empty. */
  from?: number | null;
  hint?: ReactNode;
  error?: string;
  testId: string;
  isFirst?: boolean;
};

/** A number as text: nothing is changed behind one's back, the arrow keys go by the step. */
export function NumberField(props: NumberProps) {
  const { value, change, step, from } = props;
  const onKey = (event: KeyboardEvent) => {
    const way = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0;
    if (way === 0) return;
    event.preventDefault();
    const start = numberOf(value) ?? from ?? 0;
    const steps = Math.round(start / step) + (numberOf(value) === null ? 0 : way);
    change(Math.max(0, steps * step).toFixed(decimalsOf(step)));
  };
  return (
    <TextInput
      label={props.label}
      value={value}
      inputMode="decimal"
      autoComplete="off"
      description={props.hint}
      error={props.error}
      inputWrapperOrder={["label", "input", "description", "error"]}
      data-testid={props.testId}
      data-autofocus={props.isFirst || undefined}
      onKeyDown={onKey}
      onChange={(event) => change(event.currentTarget.value)}
    />
  );
}

/** `datetime-local` text of an instant in a zone, and back; "" is none. */
export function localText(us: number, zone: Zone): string {
  if (us === 0) return "";
  const ms = us / 1_000;
  const shifted = zone === "utc" ? ms : ms - new Date(ms).getTimezoneOffset() * 60_000;
  return new Date(shifted).toISOString().slice(0, 16);
}

export function instantOf(text: string, zone: Zone): number | null {
  if (text === "") return 0;
  const ms = Date.parse(zone === "utc" ? `${text}Z` : text);
  return Number.isFinite(ms) ? ms * 1_000 : null;
}

type ExpiryProps = { value: string; change: (text: string) => void; nowUs: number; error?: string };

export function ExpiryField({ value, change, nowUs, error }: ExpiryProps) {
  const zone = useZone();
  return (
    <TextInput
      type="datetime-local"
      label={t("ticket.expiry", { zone: zoneName(zone, nowUs) })}
      description={t("ticket.expiry_hint")}
      inputWrapperOrder={["label", "input", "description", "error"]}
      value={value}
      min={localText(nowUs, zone)}
      error={error}
      data-testid="trade-expiry"
      onChange={(event) => change(event.currentTarget.value)}
    />
  );
}
