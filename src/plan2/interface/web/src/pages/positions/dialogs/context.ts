/** What every dialog about a position or an order needs to know: contract data, quote, currency. */

import { useOpenPositions, useQuote } from "../../../api/live";
import { useOpenOrders } from "../../../api/orders";
import { useSymbols, useSystem } from "../../../api/queries";
import { fixed, money, price } from "../../../format/numbers";
import type { OrderItem, PositionItem, SymbolInfo } from "../../../gen/protocol";
import { t } from "../../../strings";
import { sideSign } from "../../../widgets/Figures";
import { decimalsOf, pointsOf, profitOf, type Sign } from "./figures";

export type Market = { info: SymbolInfo; bid: number | null; ask: number | null; currency: string };

/** The symbol with its latest quote; undefined until its contract data are here. */
export function useMarket(symbol: string): Market | undefined {
  const { data: symbols } = useSymbols();
  const { data: system } = useSystem();
  const quote = useQuote(symbol);
  const info = symbols?.find((found) => found.symbol === symbol);
  if (!info) return undefined;
  return {
    info,
    bid: quote?.[2] ?? info.bid,
    ask: quote?.[3] ?? info.ask,
    currency: system?.currency ?? "",
  };
}

export const usePosition = (id: string): PositionItem | undefined =>
  useOpenPositions()?.find((position) => position.position_id === id);

export const useOrder = (id: string): OrderItem | undefined =>
  useOpenOrders().data?.items.find((order) => order.order_id === id);

export const signOf = (side: string): Sign => (sideSign(side) < 0 ? -1 : 1);

/** What a side pays, or what a position of the other side is closed at. */
export const paidBy = (sign: Sign, market: Market): number | null =>
  sign > 0 ? market.ask : market.bid;

export const lotsText = (info: SymbolInfo, value: number): string =>
  fixed(value, Math.max(2, decimalsOf(info.volume_step)));

export const priceText = (info: SymbolInfo, value: number | null): string =>
  price(value, info.digits);

/** An amount with its currency, or that nothing tells what it is worth. */
export function moneyText(amount: number | null, currency: string): string {
  return amount === null ? t("trade.no_rate") : `${money(amount, true)} ${currency}`;
}

/** How far a stop is from a price, and what it means in money for so many lots. */
export function stopText(
  market: Market,
  sign: Sign,
  lots: number,
  from: number,
  stop: number,
): string {
  const { info, currency } = market;
  const profit = profitOf(info, sign, lots, from, stop);
  return t("trade.stop_means", {
    points: fixed(pointsOf(info, stop - from), 0),
    money: moneyText(profit, currency),
  });
}
