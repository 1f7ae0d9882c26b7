/** What the form of a rule holds, and the rule that it stands for. */

import type { Channels, Rule } from "../../api/alerts";
import type { Given } from "../../api/typed";
import type { Json } from "../../gen/protocol";

export type RuleBody = Given<"post", "/api/v1/alerts/rules">["body"];
export type Kind =
  | "price"
  | "move"
  | "feature"
  | "forecast"
  | "risk"
  | "profit"
  | "health"
  | "component"
  | "silence"
  | "event";
export const KINDS: readonly Kind[] = [
  "price",
  "move",
  "feature",
  "forecast",
  "risk",
  "profit",
  "health",
  "component",
  "silence",
  "event",
];
export const TESTS = ["above", "below", "crosses_above", "crosses_below", "crosses"] as const;

/** The fields that a condition of a kind has, beside those of every threshold. */
export const CHOICES = {
  side: ["mid", "bid", "ask"],
  status: ["degraded", "down"],
  what: ["tick", "decision", "heartbeat"],
  forecast: ["p_up", "edge_pips", "disagreement"],
  risk: [
    "daily_loss",
    "weekly_loss",
    "drawdown",
    "margin_level",
    "exposure_used",
    "daily_loss_used",
  ],
  health: ["feed_age_s", "loop_lag_ms", "latency_p99_ms"],
  profit: ["day", "open"],
} as const;

export const hasThreshold = (kind: Kind): boolean =>
  kind !== "component" && kind !== "silence" && kind !== "event";
export const hasSymbol = (kind: Kind): boolean =>
  kind === "price" || kind === "move" || kind === "feature" || kind === "forecast";

/** Every value as it is typed; what a kind does not have is left out of the rule. */
export type Form = {
  name: string;
  kind: Kind;
  symbol: string;
  side: string;
  test: string;
  level: string;
  rearm: string;
  window: string;
  formula: string;
  figure: string;
  of: string;
  status: string;
  what: string;
  seconds: string;
  event: string;
  where: string;
  severity: string;
  repeat: string;
  pause: string;
  start: string;
  end: string;
  zone: string;
  to: string[];
  escalateMinutes: string;
  escalateTo: string[];
  note: string;
  isEnabled: boolean;
};

const text = (value: Json | undefined): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : "";

const wayOf = ({ way = "web", to = "" }: { way?: string; to?: string }): string => `${way}:${to}`;

const NEW: Form = {
  name: "",
  kind: "price",
  symbol: "",
  side: "mid",
  test: "above",
  level: "",
  rearm: "0",
  window: "60",
  formula: "rsi_mid_14",
  figure: "",
  of: "",
  status: "degraded",
  what: "tick",
  seconds: "60",
  event: "OrderRejected",
  where: "",
  severity: "warning",
  repeat: "every_time",
  pause: "60",
  start: "00:00",
  end: "00:00",
  zone: "UTC",
  to: ["web:"],
  escalateMinutes: "0",
  escalateTo: [],
  note: "",
  isEnabled: true,
};

/** The form of a new rule, or of one that is there. */
export function formOf(symbol: string, rule?: Rule): Form {
  const blank = { ...NEW, symbol };
  return rule ? { ...blank, ...ofRule(rule), ...ofCondition(rule.condition) } : blank;
}

function ofRule(rule: Rule): Partial<Form> {
  const [first] = rule.escalation;
  return {
    name: rule.name,
    severity: rule.severity,
    repeat: rule.repeat,
    pause: String(rule.cooldown_s),
    start: rule.hours.start ?? NEW.start,
    end: rule.hours.end ?? NEW.end,
    zone: rule.hours.zone ?? NEW.zone,
    to: rule.recipients.map(wayOf),
    escalateMinutes: String(first?.after_minutes ?? 0),
    escalateTo: first?.to.map((one) => wayOf(one as { way?: string; to?: string })) ?? [],
    note: rule.note,
    isEnabled: rule.is_enabled,
  };
}

/** Members of conditions that the form calls otherwise. */
const NAMES: Record<string, keyof Form> = { window_minutes: "window", name: "of" };

function ofCondition(condition: Condition): Partial<Form> {
  const members = Object.entries(condition).map(([name, value]) =>
    name === "where" ? ["where", whereText(value)] : [NAMES[name] ?? name, text(value)],
  );
  return Object.fromEntries(members) as Partial<Form>;
}

const whereText = (where: Json): string =>
  Object.entries(where as Record<string, Json>)
    .map(([name, value]) => `${name} = ${text(value)}`)
    .join("\n");

const number = (typed: string): number | null =>
  typed.trim() !== "" && Number.isFinite(Number(typed)) ? Number(typed) : null;

type Way = "web" | "telegram" | "email" | "webhook";
const recipient = (value: string): { way: Way; to: string } => {
  const [way = "web", ...rest] = value.split(":");
  return { way: way as Way, to: rest.join(":") };
};

/** The rule that a form stands for; null while something is missing. */
export function bodyOf(form: Form, rule?: Rule): RuleBody | null {
  const condition = conditionOf(form);
  const pause = number(form.pause);
  const minutes = number(form.escalateMinutes);
  if (!condition || pause === null || minutes === null || !form.name.trim()) return null;
  if (form.to.length === 0) return null;
  const isEscalated = minutes > 0 && form.escalateTo.length > 0;
  const later = rule?.escalation.slice(1) ?? [];
  return {
    name: form.name.trim(),
    condition,
    severity: form.severity as "info" | "warning" | "critical",
    repeat: form.repeat as "once" | "every_time",
    cooldown_s: pause,
    hours: { start: form.start, end: form.end, zone: form.zone, ...days(rule) },
    recipients: form.to.map(recipient),
    escalation: isEscalated
      ? [{ after_minutes: minutes, to: form.escalateTo.map(recipient) }, ...later]
      : [],
    note: form.note,
    is_enabled: form.isEnabled,
  };
}

/** The days of a rule that is there stay: the form does not show them. */
const days = (rule?: Rule) => (rule?.hours.days ? { days: rule.hours.days } : {});

type Condition = Record<string, Json>;

/** What a condition of a kind has beside its threshold. */
const OWN: Record<Kind, (form: Form, symbol: string) => Condition> = {
  price: ({ side }, symbol) => ({ symbol, side }),
  move: ({ window }, symbol) => ({ symbol, window_minutes: number(window), direction: "signed" }),
  feature: ({ formula }, symbol) => ({ symbol, formula: formula.trim() }),
  forecast: ({ figure }, symbol) => ({ symbol, figure: figure || CHOICES.forecast[0] }),
  risk: ({ figure }) => ({ figure: figure || CHOICES.risk[0] }),
  profit: ({ of }, symbol) => ({ of: of || "day", symbol: of === "open" ? symbol : "" }),
  health: ({ figure, of }) => ({ figure: figure || CHOICES.health[0], of }),
  component: ({ of, status }) => ({ name: of, status }),
  silence: ({ what, of, seconds }) => ({ what, of, seconds: number(seconds) }),
  event: ({ event, where }) => ({ event: event.trim(), where: whereOf(where) }),
};

function conditionOf(form: Form): Condition | null {
  const { kind } = form;
  const level = number(form.level);
  const rearm = number(form.rearm);
  const symbol = form.symbol.trim();
  const own = OWN[kind](form, symbol);
  if (Object.values(own).includes(null) || (hasSymbol(kind) && !symbol)) return null;
  if (kind === "feature" && own.formula === "") return null;
  if (!hasThreshold(kind)) return { kind, ...own };
  return level === null || rearm === null ? null : { kind, test: form.test, level, rearm, ...own };
}

/** Members as typed, `name = value`, one a line. */
function whereOf(typed: string): Record<string, string> {
  const pairs = typed
    .split("\n")
    .filter((line) => line.includes("="))
    .map((line) => {
      const at = line.indexOf("=");
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()] as const;
    });
  return Object.fromEntries(pairs);
}

/** The ways that a rule may name: the web app, Telegram where it is there, and every channel. */
export const waysOf = (channels: Channels | undefined): string[] => [
  "web:",
  ...(channels?.has_telegram ? ["telegram:"] : []),
  ...(channels?.items ?? []).map(({ way, name }) => `${way}:${name}`),
];
