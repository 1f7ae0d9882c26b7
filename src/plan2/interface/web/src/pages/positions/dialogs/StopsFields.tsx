/** Stop-loss and take-profit with what they mean: distance in points, money at stake. */

import { t } from "../../../strings";
import { type Market, priceText, stopText } from "./context";
import { NumberField } from "./fields";
import { fixed } from "../../../format/numbers";
import { numberOrNone, onPriceGrid, pointsOf, type Sign } from "./figures";
import type { Errors } from "./RequestDialog";

export type Stops = { stop_loss: string; take_profit: string };

type Props = {
  market: Market;
  value: Stops;
  change: (value: Stops) => void;
  errors: Errors;
  sign: Sign;
  lots: number;
  /** The price that profit counts from: of entry. */
  from: number | null;
  /** What it would be closed at now, where it is open already. */
  now?: number | null;
  /** Whether it may not go without a stop-loss. */
  needsStop?: boolean;
  isFirst?: boolean;
};

const WRONG = { stop_loss: 1, take_profit: -1 } as const;

/** Why a stop cannot stand where it is meant to; empty when it can, or when nothing tells. */
export function stopFault(
  name: "stop_loss" | "take_profit",
  text: string,
  sign: Sign,
  beyond: number | null,
): string {
  const value = numberOrNone(text);
  if (value === null) return t("trade.no_number");
  if (value === 0 || beyond === null) return "";
  if ((value - beyond) * sign * WRONG[name] < 0) return "";
  const side = sign * WRONG[name] > 0 ? "below" : "above";
  return t(`trade.${name}_${side}`);
}

/** What a stop means for a position: its distance, its worth, and how it is rounded. */
function hintOf(props: Props, name: "stop_loss" | "take_profit"): string {
  const { market, sign, lots, from, now } = props;
  const { info } = market;
  const stop = numberOrNone(props.value[name]);
  if (!stop || from === null) {
    const isNeeded = name === "stop_loss" && props.needsStop;
    const step = info.point.toFixed(info.digits);
    return t(isNeeded ? "trade.step_needed" : "trade.step", { step });
  }
  const rounded = onPriceGrid(info, stop);
  const parts = [
    rounded === stop ? "" : t("trade.rounded", { price: priceText(info, stop) }),
    stopText(market, sign, lots, from, rounded),
    now ? t("trade.from_now", { points: fixed(pointsOf(info, rounded - now), 0) }) : "",
  ];
  return parts.filter(Boolean).join(" ");
}

export function StopsFields(props: Props) {
  const { market, value, change, errors, from, isFirst } = props;
  const { info } = market;
  const field = (name: "stop_loss" | "take_profit") => (
    <NumberField
      label={t(`trade.${name}`)}
      value={value[name]}
      change={(text) => change({ ...value, [name]: text })}
      step={info.point}
      from={from}
      hint={hintOf(props, name)}
      error={errors[name]}
      testId={`trade-${name}`}
      isFirst={isFirst && name === "stop_loss"}
    />
  );
  return (
    <div className="field-pair">
      {field("stop_loss")}
      {field("take_profit")}
    </div>
  );
}
