/** Every question the pages ask the REST API, as hooks over one cache. */

import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type {
  Account,
  Bars,
  DecisionItem,
  DecisionRecord,
  Equity,
  EventItem,
  Features,
  Forecast,
  Health,
  Indicators,
  Manifest,
  ModelItem,
  OrderItem,
  Page,
  PositionItem,
  ReplayResult,
  SymbolInfo,
  SystemInfo,
  Trading,
} from "../gen/protocol";
import { get, getPage, type Query } from "./client";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

export const useSystem = () =>
  useQuery({
    queryKey: ["system"],
    queryFn: ({ signal }) => get<SystemInfo>("/system", {}, signal),
    refetchInterval: 5 * SECOND,
  });

/** Every switch of every account, and the kills that are under way. */
export const useTrading = () =>
  useQuery({
    queryKey: ["trading"],
    queryFn: ({ signal }) => get<Trading>("/trading", {}, signal),
    refetchInterval: SECOND,
  });

export const useSymbols = () =>
  useQuery({
    queryKey: ["symbols"],
    queryFn: ({ signal }) => get<SymbolInfo[]>("/symbols", {}, signal),
    refetchInterval: MINUTE,
  });

export const useBars = (symbol: string, period_s: number, limit: number) =>
  useQuery({
    queryKey: ["bars", symbol, period_s, limit],
    queryFn: ({ signal }) => get<Bars>("/bars", { symbol, period_s, limit }, signal),
    placeholderData: (previous) =>
      previous?.symbol === symbol && previous.period_s === period_s ? previous : undefined,
    enabled: symbol !== "",
    staleTime: 30 * SECOND,
  });

export const useIndicators = (symbol: string, period_s: number, names: string, limit: number) =>
  useQuery({
    queryKey: ["indicators", symbol, period_s, names, limit],
    queryFn: ({ signal }) =>
      get<Indicators>("/indicators", { symbol, period_s, names, limit }, signal),
    placeholderData: (previous) =>
      previous?.symbol === symbol && previous.period_s === period_s ? previous : undefined,
    enabled: symbol !== "" && names !== "",
    staleTime: 30 * SECOND,
  });

export const useFeatures = (symbol: string) =>
  useQuery({
    queryKey: ["features", symbol],
    queryFn: ({ signal }) => get<Features>("/features", { symbol }, signal),
    enabled: symbol !== "",
  });

export const useForecasts = (symbol: string, limit: number) =>
  useQuery({
    queryKey: ["forecasts", symbol, limit],
    queryFn: ({ signal }) => get<Forecast[]>("/forecasts", { symbol, limit }, signal),
    enabled: symbol !== "",
    refetchInterval: 15 * SECOND,
  });

function usePages<T>(name: string, path: string, query: Query) {
  return useInfiniteQuery({
    queryKey: [name, query],
    queryFn: ({ pageParam, signal }) => getPage<T>(path, { ...query, cursor: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last: Page<T>) => last.next_cursor,
    placeholderData: keepPreviousData,
  });
}

export type DecisionFilter = { symbol: string; outcome: string; reason: string };

export const useDecisions = (filter: DecisionFilter, limit = 60) =>
  usePages<DecisionItem>("decisions", "/decisions", { ...filter, limit });

export const useOrders = () => usePages<OrderItem>("orders", "/orders", { limit: 100 });

export const useEvents = (type = "", limit = 60) =>
  usePages<EventItem>("events", "/events", { type, limit });

/** Decisions of one symbol as one list, for the chart's markers and the decision card. */
export const useSymbolDecisions = (symbol: string, limit: number) =>
  useQuery({
    queryKey: ["decisions", "of", symbol, limit],
    queryFn: ({ signal }) => getPage<DecisionItem>("/decisions", { symbol, limit }, signal),
    enabled: symbol !== "",
    placeholderData: (previous) => (previous?.items[0]?.symbol === symbol ? previous : undefined),
  });

export const useDecision = (id: string) =>
  useQuery({
    queryKey: ["decision", id],
    queryFn: ({ signal }) =>
      get<DecisionRecord>(`/decisions/${encodeURIComponent(id)}`, {}, signal),
    enabled: id !== "",
  });

export const useReplay = (id: string) =>
  useQuery({
    queryKey: ["replay", id],
    queryFn: ({ signal }) =>
      get<ReplayResult>(`/decisions/${encodeURIComponent(id)}/replay`, {}, signal),
    enabled: false,
    gcTime: 0,
    retry: false,
  });

export const usePositions = (status: "open" | "closed") =>
  useQuery({
    queryKey: ["positions", status],
    queryFn: ({ signal }) => getPage<PositionItem>("/positions", { status, limit: 500 }, signal),
  });

export const useEquity = () =>
  useQuery({
    queryKey: ["equity"],
    queryFn: ({ signal }) => get<Equity>("/equity", { limit: 1000 }, signal),
    refetchInterval: 10 * SECOND,
  });

export const useAccount = () =>
  useQuery({
    queryKey: ["account"],
    queryFn: ({ signal }) => get<Account>("/account", {}, signal),
    refetchInterval: 5 * SECOND,
  });

export const useModels = () =>
  useQuery({
    queryKey: ["models"],
    queryFn: ({ signal }) => get<ModelItem[]>("/models", {}, signal),
    refetchInterval: MINUTE,
  });

export const useManifest = (id: string) =>
  useQuery({
    queryKey: ["models", id],
    queryFn: ({ signal }) => get<Manifest>(`/models/${encodeURIComponent(id)}`, {}, signal),
    enabled: id !== "",
    staleTime: MINUTE,
  });

export const useHealth = () =>
  useQuery({
    queryKey: ["health"],
    queryFn: ({ signal }) => get<Health>("/health", {}, signal),
    refetchInterval: 10 * SECOND,
  });
