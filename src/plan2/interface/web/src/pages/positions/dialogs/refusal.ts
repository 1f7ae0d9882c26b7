/** A refusal in plain words, and the field that it is about. */

import type { Problem } from "../../../gen/protocol";
import { duration, fixed, money, percent, significant } from "../../../format/numbers";
import { en } from "../../../strings/en";
import { type MessageKey, t } from "../../../strings";
import { said, spoken } from "../../../strings/told";

export type FieldName =
  | "symbol"
  | "quantity"
  | "price"
  | "limit_price"
  | "stop_loss"
  | "take_profit"
  | "expires_us"
  | "opposite_id"
  | "reason";
export type Refusal = { field: FieldName | null; text: string };

const FIELD_OF: Record<string, FieldName> = {
  unknown_symbol: "symbol",
  symbol_permitted: "symbol",
  volume: "quantity",
  order_volume: "quantity",
  reduces: "quantity",
  order_value: "quantity",
  exposure: "quantity",
  volatility_target: "quantity",
  expected_shortfall: "quantity",
  currency: "quantity",
  margin: "quantity",
  price: "price",
  collar: "price",
  collar_points: "price",
  collar_pending: "price",
  collar_window: "price",
  limit_price: "limit_price",
  stop_distance: "stop_loss",
  stop_kept: "stop_loss",
  spread: "stop_loss",
  opposite: "opposite_id",
};

type Shape = (value: number) => string;
const share: Shape = (value) => percent(value);
const age: Shape = (value) => duration(value * 1_000);
const SHAPES: Record<string, Shape> = {
  collar: share,
  collar_pending: share,
  collar_window: share,
  spread: share,
  daily_loss: share,
  weekly_loss: share,
  drawdown: share,
  tick_age: age,
  reference_age: age,
  order_value: money,
  exposure: money,
  volatility_target: money,
  expected_shortfall: money,
  currency: money,
  margin: money,
  volume: (value) => fixed(value, 2),
  order_volume: (value) => fixed(value, 2),
  reduces: (value) => fixed(value, 2),
};

/** What the server refused, and beside which field it belongs (null: none in particular). */
export function refusalOf(problem: Problem): Refusal {
  const rule = problem.rule ?? problem.code ?? "";
  const key = `refusal.${rule}`;
  if (key in en) {
    const shape = SHAPES[rule] ?? significant;
    const values = { value: shape(problem.value ?? 0), limit: shape(problem.limit ?? 0) };
    return { field: FIELD_OF[rule] ?? null, text: t(key as MessageKey, values) };
  }
  const fault = problem.errors?.[0];
  if (fault) return { field: null, text: `${fault.field}: ${said(fault.message)}` };
  return {
    field: FIELD_OF[rule] ?? null,
    text: spoken(problem.detail || problem.title, problem.remedy).children,
  };
}
