/** Every question the pages ask the REST API, as hooks over one cache. */

import { keepPreviousData, queryOptions, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type {
  Account,
  DecisionItem,
  DecisionRecord,
  EventItem,
  OrderItem,
  Page,
  SymbolInfo,
  SystemInfo,
  Trading,
} from "../gen/protocol";
import { usePast } from "../state/past";
import type { Query } from "./client";
import { whileBusy } from "./queryClient";
import { usePastState } from "./state";
import { type Given, type PathOf, read } from "./typed";

/** Lengths of bars that the server has. */
export type Period = NonNullable<Given<"get", "/api/v1/bars">["query"]["period_s"]>;

/** Everything that the administration's pages have asked before is asked again after a change. */
export const ADMINISTRATION = "administration";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

export const useSystem = () =>
  useQuery({
    queryKey: ["system"],
    queryFn: ({ signal }) => read("/api/v1/system", {}, signal) as Promise<SystemInfo>,
    refetchInterval: 5 * SECOND,
  });

/** Every switch of every account, and the kills that are under way. */
export const useTrading = (every = SECOND) =>
  useQuery({
    queryKey: ["trading"],
    queryFn: ({ signal }) => read("/api/v1/trading", {}, signal) as Promise<Trading>,
    refetchInterval: every,
  });

export const useSymbols = () =>
  useQuery({
    queryKey: ["symbols"],
    queryFn: ({ signal }) => read("/api/v1/symbols", {}, signal) as Promise<SymbolInfo[]>,
    refetchInterval: MINUTE,
  });

export const useBars = (symbol: string, period_s: Period, limit: number) =>
  useQuery({
    queryKey: ["bars", symbol, period_s, limit],
    queryFn: ({ signal }) => read("/api/v1/bars", { query: { symbol, period_s, limit } }, signal),
    placeholderData: (previous) =>
      previous?.symbol === symbol && previous.period_s === period_s ? previous : undefined,
    enabled: symbol !== "",
    staleTime: 30 * SECOND,
  });

export const useIndicators = (symbol: string, period_s: Period, names: string, limit: number) =>
  useQuery({
    queryKey: ["indicators", symbol, period_s, names, limit],
    queryFn: ({ signal }) =>
      read("/api/v1/indicators", { query: { symbol, period_s, names, limit } }, signal),
    placeholderData: (previous) =>
      previous?.symbol === symbol && previous.period_s === period_s ? previous : undefined,
    enabled: symbol !== "" && names !== "",
    staleTime: 30 * SECOND,
  });

export const useFeatures = (symbol: string, every: number | false = false) =>
  useQuery({
    queryKey: ["features", symbol],
    queryFn: ({ signal }) => read("/api/v1/features", { query: { symbol } }, signal),
    enabled: symbol !== "",
    refetchInterval: every,
  });

/** What the features mean, which are in use, and what their last check found. */
export const useFeatureBook = () =>
  useQuery({
    queryKey: ["features", "book"],
    queryFn: ({ signal }) => read("/api/v1/features/book", {}, signal),
    refetchInterval: MINUTE,
  });

/** Past situations like a decision's. */
export const useSimilar = (id: string, isWanted: boolean) =>
  useQuery({
    queryKey: ["similar", id],
    queryFn: ({ signal }) =>
      read("/api/v1/decisions/{decision_id}/similar", { path: { decision_id: id } }, signal),
    enabled: isWanted,
    staleTime: MINUTE,
    retry: whileBusy,
  });

export const useForecasts = (symbol: string, limit: number) =>
  useQuery({
    queryKey: ["forecasts", symbol, limit],
    queryFn: ({ signal }) => read("/api/v1/forecasts", { query: { symbol, limit } }, signal),
    enabled: symbol !== "",
    refetchInterval: 15 * SECOND,
  });

function usePages<T>(
  name: string,
  path: PathOf<"get"> & ("/api/v1/decisions" | "/api/v1/orders" | "/api/v1/events"),
  query: Query,
) {
  // In the past a list begins with what was written last then.
  const at_us = usePast((state) => state.at_us);
  const { data: then } = usePastState(at_us ?? 0);
  const first = at_us === null || !then ? null : String(then.position + 1);
  return useInfiniteQuery({
    queryKey: [name, query, first],
    enabled: at_us === null || then !== undefined,
    queryFn: ({ pageParam, signal }) =>
      read(
        path,
        { query: { ...query, cursor: pageParam ?? undefined } },
        signal,
      ) as unknown as Promise<Page<T>>,
    initialPageParam: first,
    getNextPageParam: (last: Page<T>) => last.next_cursor,
    placeholderData: keepPreviousData,
  });
}

export type DecisionFilter = { symbol: string; outcome: string; reason: string };

export const useDecisions = (filter: DecisionFilter, limit = 60) =>
  usePages<DecisionItem>("decisions", "/api/v1/decisions", { ...filter, limit });

export const useOrders = () => usePages<OrderItem>("orders", "/api/v1/orders", { limit: 100 });

export const useEvents = (type = "", limit = 60) =>
  usePages<EventItem>("events", "/api/v1/events", { type, limit });

/** Decisions of one symbol as one list, for the chart's markers and the decision card. */
export const useSymbolDecisions = (symbol: string, limit: number) =>
  useQuery({
    queryKey: ["decisions", "of", symbol, limit],
    queryFn: ({ signal }) =>
      read("/api/v1/decisions", { query: { symbol, limit } }, signal) as Promise<
        Page<DecisionItem>
      >,
    enabled: symbol !== "",
    placeholderData: (previous) => (previous?.items[0]?.symbol === symbol ? previous : undefined),
  });

export const useDecision = (id: string) =>
  useQuery({
    queryKey: ["decision", id],
    queryFn: ({ signal }) =>
      read(
        "/api/v1/decisions/{decision_id}",
        { path: { decision_id: id } },
        signal,
      ) as unknown as Promise<DecisionRecord>,
    enabled: id !== "",
  });

export const useReplay = (id: string) =>
  useQuery({
    queryKey: ["replay", id],
    queryFn: ({ signal }) =>
      read("/api/v1/decisions/{decision_id}/replay", { path: { decision_id: id } }, signal),
    enabled: false,
    gcTime: 0,
    retry: whileBusy,
  });

export const usePositions = (status: "open" | "closed") =>
  useQuery({
    queryKey: ["positions", status],
    queryFn: ({ signal }) => read("/api/v1/positions", { query: { status, limit: 500 } }, signal),
  });

export const useEquity = () =>
  useQuery({
    queryKey: ["equity"],
    queryFn: ({ signal }) => read("/api/v1/equity", { query: { limit: 1000 } }, signal),
    refetchInterval: 10 * SECOND,
  });

export const useAccount = () =>
  useQuery({
    queryKey: ["account"],
    queryFn: ({ signal }) => read("/api/v1/account", {}, signal) as Promise<Account>,
    refetchInterval: 5 * SECOND,
  });

/** What only the broker has, as of the last comparison with it. */
export const useBrokerView = () =>
  useQuery({ queryKey: ["broker"], queryFn: ({ signal }) => read("/api/v1/broker", {}, signal) });

export const useModels = () =>
  useQuery({
    queryKey: ["models"],
    queryFn: ({ signal }) => read("/api/v1/models", {}, signal),
    refetchInterval: MINUTE,
  });

export const useReports = () =>
  useQuery({
    queryKey: ["reports"],
    queryFn: ({ signal }) => read("/api/v1/reports", {}, signal),
    refetchInterval: MINUTE,
  });

export const useCandidates = () =>
  useQuery({
    queryKey: ["models", "candidates"],
    queryFn: ({ signal }) => read("/api/v1/candidates", {}, signal),
    refetchInterval: 15 * SECOND,
  });

export const useCandidate = (id: string) =>
  useQuery({
    queryKey: ["models", "candidate", id],
    queryFn: ({ signal }) =>
      read("/api/v1/candidates/{candidate_id}", { path: { candidate_id: id } }, signal),
    enabled: id !== "",
    refetchInterval: 15 * SECOND,
  });

/** How a model's manifest is asked for; it never changes. */
export const manifestQuery = (id: string) =>
  queryOptions({
    queryKey: ["models", id],
    queryFn: ({ signal }) => read("/api/v1/models/{model_id}", { path: { model_id: id } }, signal),
    enabled: id !== "",
    staleTime: MINUTE,
  });

export const useManifest = (id: string) => useQuery(manifestQuery(id));

export const useHealth = () =>
  useQuery({
    queryKey: ["health"],
    queryFn: ({ signal }) => read("/api/v1/health", {}, signal),
    refetchInterval: 10 * SECOND,
  });
