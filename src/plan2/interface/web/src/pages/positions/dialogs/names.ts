/** Positions and orders by the names that people give them. */

import type { OrderItem, PositionItem } from "../../../gen/protocol";
import { t } from "../../../strings";
import { kindOf } from "../orderWords";
import { lotsText, type Market, priceText, signOf } from "./context";

/** Long 0.10 EURUSD */
export function positionName(position: PositionItem, { info }: Market): string {
  const side = t(signOf(position.direction) > 0 ? "side.long" : "side.short");
  return `${side} ${lotsText(info, position.quantity)} ${position.symbol}`;
}

/** Buy limit 0.10 EURUSD at 1.08000 */
export function orderName(order: OrderItem, { info }: Market): string {
  const side = t(signOf(order.side) > 0 ? "side.buy" : "side.sell");
  return t("order.name", {
    side,
    kind: kindOf(order).toLowerCase(),
    lots: lotsText(info, order.quantity - order.filled_quantity),
    symbol: order.symbol,
    price: priceText(info, order.price),
  });
}
