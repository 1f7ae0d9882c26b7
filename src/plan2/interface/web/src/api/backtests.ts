/** Finished backtests, their parts by page, and the jobs that make them. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useRead } from "./admin";
import { ADMINISTRATION } from "./queries";
import { type Answer, type Given, read } from "./typed";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
export const BACKTEST = "backtest";

export type Run = Answer<"get", "/api/v1/backtests">["items"][number];
export type Report = Answer<"get", "/api/v1/backtests/{run_id}">;
export type Metric = Report["metrics"][number];
export type Curve = Report["pictures"]["equity"];
export type Trade = Answer<"get", "/api/v1/backtests/{run_id}/trades">["items"][number];
export type Order = Answer<"get", "/api/v1/backtests/{run_id}/orders">["items"][number];
export type Comparison = Answer<"get", "/api/v1/backtests/compare">;
export type Outline = Answer<"post", "/api/v1/backtests/check">;

/** A finished run never changes. */
const FOREVER = { staleTime: 60 * MINUTE };

export const useBacktests = () => useRead("/api/v1/backtests", {}, { every: 30 * SECOND });
export const useBacktestJobs = () =>
  useRead("/api/v1/jobs", { query: { kind: BACKTEST, limit: 20 } }, { every: 5 * SECOND });
export const useReport = (run_id: string) =>
  useRead("/api/v1/backtests/{run_id}", { path: { run_id } }, FOREVER);
export type Traded = Answer<"get", "/api/v1/backtests/{run_id}/live">[number];
/** What the run's flow has earned since it trades; it goes on. */
export const useTraded = (run_id: string) =>
  useRead("/api/v1/backtests/{run_id}/live", { path: { run_id } }, { every: MINUTE });
export const useRunEquity = (run_id: string) =>
  useRead("/api/v1/backtests/{run_id}/equity", { path: { run_id }, query: {} }, FOREVER);
export const useComparison = (runs: string) =>
  useRead("/api/v1/backtests/compare", { query: { runs } }, FOREVER);

type TradeQuery = NonNullable<Given<"get", "/api/v1/backtests/{run_id}/trades">["query"]>;

/** A page of trades; while the next one is on its way the last one stays. */
export const useTrades = (run_id: string, query: TradeQuery) =>
  useQuery({
    queryKey: [ADMINISTRATION, "backtest-trades", run_id, query],
    queryFn: ({ signal }) =>
      read("/api/v1/backtests/{run_id}/trades", { path: { run_id }, query }, signal),
    placeholderData: keepPreviousData,
    ...FOREVER,
  });

export const useOrders = (run_id: string, offset: number, limit: number) =>
  useQuery({
    queryKey: [ADMINISTRATION, "backtest-orders", run_id, offset, limit],
    queryFn: ({ signal }) =>
      read(
        "/api/v1/backtests/{run_id}/orders",
        { path: { run_id }, query: { offset, limit } },
        signal,
      ),
    placeholderData: keepPreviousData,
    ...FOREVER,
  });

export const useRunBars = (run_id: string, from_us: number, to_us: number, period_s: number) =>
  useQuery({
    queryKey: [ADMINISTRATION, "backtest-bars", run_id, from_us, to_us, period_s],
    queryFn: ({ signal }) =>
      read(
        "/api/v1/backtests/{run_id}/bars",
        { path: { run_id }, query: { from_us, to_us, period_s } },
        signal,
      ),
    ...FOREVER,
  });

/** The address of a file of a run. */
export const exportHref = (run_id: string, format: string, what = "trades"): string =>
  `/api/v1/backtests/${encodeURIComponent(run_id)}/export?format=${format}&what=${what}`;
