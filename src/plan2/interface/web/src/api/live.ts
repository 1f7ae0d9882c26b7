/** Figures that the stream keeps current, with REST as their first value and their fallback. */

import { useEffect, useState } from "react";
import type {
  Account,
  AccountRow,
  Broker,
  Health,
  PositionItem,
  PositionRow,
  QuoteRow,
  TradingState,
} from "../gen/protocol";
import { useRow, useRows } from "../stream/react";
import { figuresOf, positionsOf, useAccountThen } from "./past";
import {
  useAccount,
  useBrokerView,
  useHealth,
  usePositions,
  useSymbols,
  useSystem,
} from "./queries";

export const useQuote = (symbol: string): QuoteRow | undefined =>
  useRow<QuoteRow>("quotes", symbol);

/** The account with its latest figures; undefined until either source answered. */
export function useLiveAccount(): Account | undefined {
  const { data } = useAccount();
  const row = useRow<AccountRow>("account", "");
  const then = useAccountThen();
  if (then !== undefined) return then === null ? undefined : figuresOf(then);
  if (!data || !row) return data;
  const [balance, equity, margin, day_pnl, drawdown, trading_state] = row;
  return { ...data, balance, equity, margin, day_pnl, drawdown, trading_state };
}

export function useTradingState(): TradingState | undefined {
  const { data } = useSystem();
  const row = useRow<AccountRow>("account", "");
  const then = useAccountThen();
  if (then !== undefined) return then?.trading_state as TradingState | undefined;
  return row?.[5] ?? data?.trading_state;
}

function positionOf(row: PositionRow): PositionItem {
  const [
    position_id,
    symbol,
    direction,
    quantity,
    open_price,
    close_price,
    stop_loss,
    take_profit,
    opened_us,
    closed_us,
    profit,
    commission,
    swap,
    reason,
    decision_id,
    is_managed,
    expires_us,
    flow_id,
  ] = row;
  return {
    position_id,
    symbol,
    direction,
    quantity,
    open_price,
    close_price,
    stop_loss,
    take_profit,
    opened_us,
    closed_us,
    profit,
    commission,
    swap,
    reason,
    decision_id,
    is_managed,
    expires_us,
    flow_id,
  };
}

/** Open positions, newest first; undefined until either source answered. */
export function useOpenPositions(): PositionItem[] | undefined {
  const { data } = usePositions("open");
  const rows = useRows<PositionRow>("positions");
  const then = useAccountThen();
  if (then !== undefined) return positionsOf(then);
  const items = rows
    ? rows.map(positionOf).filter((position) => position.closed_us === null)
    : data?.items;
  return items?.toSorted(
    (a, b) => b.opened_us - a.opened_us || a.position_id.localeCompare(b.position_id),
  );
}

/** What only the broker has; undefined until either source answered. */
export function useBroker(): Broker | undefined {
  const { data } = useBrokerView();
  return useRow<Broker>("broker", "") ?? data;
}

export function useLiveHealth(): Health | undefined {
  const { data } = useHealth();
  return useRow<Health>("health", "") ?? data;
}

/** Decimals of a symbol's price; 5 until the symbol table is here. */
export function useDigits(): (symbol: string) => number {
  const { data } = useSymbols();
  return (symbol) => data?.find((info) => info.symbol === symbol)?.digits ?? 5;
}

/** Market time in microseconds, carried on from the last answer at the market's speed.
 *
 * At full speed (0) nobody knows how far it got, so it stands still until the next answer. */
export function useMarketNowUs(): number | null {
  const { data, dataUpdatedAt } = useSystem();
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const id = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(id);
  }, []);
  if (!data) return null;
  const elapsedMs = Math.max(0, now - dataUpdatedAt);
  return data.market_us + elapsedMs * 1_000 * data.speed;
}
