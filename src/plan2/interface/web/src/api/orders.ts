/** Orders that are not over yet, and whether an entry would be let through now. */

import { useQuery } from "@tanstack/react-query";
import type { AccountSwitches, Component, OrderItem, SwitchItem } from "../gen/protocol";
import { useIsStale } from "../stream/react";
import { label, t } from "../strings";
import { useIsPast } from "../state/past";
import { ordersOf, useAccountThen } from "./past";
import { read } from "./typed";
import { useLiveHealth } from "./live";
import { useSystem, useTrading } from "./queries";
import { said } from "../strings/told";

const EVERY_MS = 2_000;
/** The flow that people's orders belong to. */
const FLOW = "main";

/** Orders under way, working at the broker, or of unknown outcome; newest first. */
export function useOpenOrders() {
  const query = useQuery({
    queryKey: ["orders", "open"],
    queryFn: ({ signal }) =>
      read("/api/v1/orders", { query: { status: "open", limit: 500 } }, signal),
    refetchInterval: EVERY_MS,
  });
  const then = useAccountThen();
  return then === undefined
    ? query
    : { ...query, data: { items: ordersOf(then), next_cursor: null } };
}

/** The newest orders, over or not: for whoever waits for one and missed what the stream said. */
export const useLatestOrders = () =>
  useQuery({
    queryKey: ["orders", "latest"],
    queryFn: ({ signal }) => read("/api/v1/orders", { query: { limit: 20 } }, signal),
    refetchInterval: EVERY_MS,
  });

export const isWorking = (order: OrderItem): boolean =>
  order.kind === "pending" && (order.state === "accepted" || order.state === "partially_filled");

const MODE_EVERY_MS = 10_000;

/** The kind of the account, such as demo or real; undefined while nobody has told. */
export const useAccountMode = (): string | undefined => useSwitches(MODE_EVERY_MS)?.mode;

/** How the way to the broker is; undefined where there is no broker outside of this process. */
export function useTerminal(): Component | undefined {
  return useLiveHealth()?.components.find((component) => component.name === "terminal");
}

/** The account that this process trades on, with its switches. */
function useSwitches(every?: number): AccountSwitches | undefined {
  const { data: system } = useSystem();
  const { data: trading } = useTrading(every);
  return trading?.accounts.find((account) => account.account_id === system?.account_id);
}

const bearsOn = ({ scope, target }: SwitchItem, symbol: string): boolean =>
  scope === "symbol" ? target === symbol : scope === "flow" ? target === FLOW : true;

/** Why nothing new may be opened in a symbol now; empty when it may. */
export function useEntryBlock(symbol: string): string {
  const isStale = useIsStale();
  const isPast = useIsPast();
  const terminal = useTerminal();
  const account = useSwitches();
  if (isPast) return t("past.blocked");
  if (isStale) return t("block.stale");
  if (terminal && terminal.status !== "ok")
    return t("block.terminal", { why: said(terminal.detail) });
  if (!account) return t("block.unknown");
  const thrown = account.switches.find(
    (found) => found.state !== "armed" && bearsOn(found, symbol),
  );
  if (thrown)
    return t("block.switch", {
      what: t(`scope.${thrown.scope}`),
      target: thrown.target,
      state: label("trading", thrown.state).toLowerCase(),
      reason: thrown.reason,
    });
  if (account.trading_state !== "armed")
    return t("block.state", { state: label("trading", account.trading_state).toLowerCase() });
  const isArmed = !account.needs_mode || account.armed_mode === account.mode;
  return isArmed ? "" : t("block.mode", { mode: account.mode });
}
