/** Entry, stop and target of open positions as lines on the chart. */

import type { PositionItem } from "../gen/protocol";
import { lots } from "../format/numbers";
import { t } from "../strings";
import { sideSign } from "../widgets/Figures";
import type { PositionLine } from "./PriceChart";

export function positionLines(positions: readonly PositionItem[]): PositionLine[] {
  return positions.flatMap((position) => {
    const side = sideSign(position.direction) < 0 ? t("side.short") : t("side.long");
    const entry: PositionLine = {
      price: position.open_price,
      title: `${side} ${lots(position.quantity)}`,
      tone: "entry",
    };
    // A price of 0 means that the position has no such order.
    const stop: PositionLine[] =
      position.stop_loss > 0
        ? [{ price: position.stop_loss, title: t("chart.stop"), tone: "stop" }]
        : [];
    const target: PositionLine[] =
      position.take_profit > 0
        ? [{ price: position.take_profit, title: t("chart.target"), tone: "target" }]
        : [];
    return [entry, ...stop, ...target];
  });
}
