/** The account, its positions and orders as they were at the instant that the app shows. */

import { useEffect } from "react";
import type { Account, OrderItem, PositionItem, TradingState } from "../gen/protocol";
import { usePast } from "../state/past";
import { useSystem } from "./queries";
import { usePastState } from "./state";
import type { Answer } from "./typed";

type AccountThen = Answer<"get", "/api/v1/audit/state">["accounts"][number];

/** Undefined: it is now. Null: not told yet, or nothing was known of the account then. */
export function useAccountThen(): AccountThen | null | undefined {
  const at_us = usePast((state) => state.at_us);
  const { data: system } = useSystem();
  const { data } = usePastState(at_us ?? 0);
  if (at_us === null) return undefined;
  return data?.accounts.find((one) => one.account_id === system?.account_id) ?? null;
}

/** The position of the last event until then; undefined while it is now, or not told yet. */
export function usePositionThen(): number | undefined {
  const at_us = usePast((state) => state.at_us);
  const { data } = usePastState(at_us ?? 0);
  return at_us === null ? undefined : data?.position;
}

/** The account's figures then; what no event tells is empty. */
export function figuresOf(then: AccountThen): Account {
  const peak = Number(then.peak_equity);
  return {
    account_id: then.account_id,
    balance: then.balance,
    equity: then.equity,
    margin: then.margin,
    day_pnl: "",
    drawdown: peak > 0 ? Math.max(0, 1 - Number(then.equity) / peak) : 0,
    open_positions: then.positions.length,
    trading_state: then.trading_state as TradingState,
    limits: [],
  };
}

export const positionsOf = (then: AccountThen | null): PositionItem[] =>
  (then?.positions ?? []) as PositionItem[];

export const ordersOf = (then: AccountThen | null): OrderItem[] =>
  (then?.orders ?? []) as OrderItem[];

const STEP_MS = 1_000;
const MINUTE_US = 60_000_000;

/** While it plays, goes on a minute each second until it is now. */
export function usePlaying(isPlaying: boolean, stop: () => void): void {
  const { at_us, travel } = usePast();
  useEffect(() => {
    if (!isPlaying || at_us === null) return undefined;
    const next = at_us + MINUTE_US;
    const id = setTimeout(() => {
      if (next >= Date.now() * 1_000) stop();
      else travel(next);
    }, STEP_MS);
    return () => clearTimeout(id);
  }, [isPlaying, at_us, travel, stop]);
}
