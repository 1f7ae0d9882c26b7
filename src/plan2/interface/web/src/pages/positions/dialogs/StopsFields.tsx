/** Stop-loss and take-profit with what they mean: distance in points, money at stake. */

import { t } from "../../../strings";
import { type Market, priceText, stopText } from "./context";
import { NumberField } from "./fields";
import { numberOrNone, onPriceGrid, type Sign } from "./figures";
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

export function StopsFields({ market, value, change, errors, sign, lots, from, isFirst }: Props) {
  const { info } = market;
  const hint = (text: string) => {
    const stop = numberOrNone(text);
    if (!stop || from === null) return t("trade.step", { step: info.point.toFixed(info.digits) });
    const meant = stopText(market, sign, lots, from, onPriceGrid(info, stop));
    return onPriceGrid(info, stop) === stop
      ? meant
      : `${t("trade.rounded", { price: priceText(info, stop) })} ${meant}`;
  };
  const field = (name: "stop_loss" | "take_profit") => (
    <NumberField
      label={t(`trade.${name}`)}
      value={value[name]}
      change={(text) => change({ ...value, [name]: text })}
      step={info.point}
      from={from}
      hint={hint(value[name])}
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
