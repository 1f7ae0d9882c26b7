/** What the page of flows asks. */

import { useQuery } from "@tanstack/react-query";
import type { Answer } from "./typed";
import { read } from "./typed";

const EVERY_MS = 3_000;

export type FlowItem = Answer<"get", "/api/v1/flows">[number];
export type FlowCard = Answer<"get", "/api/v1/flows/{name}">;
export type DayItem = Answer<"get", "/api/v1/flows/{name}/comparisons">[number];

export const useFlows = () =>
  useQuery({
    queryKey: ["flows"],
    queryFn: ({ signal }) => read("/api/v1/flows", {}, signal),
    refetchInterval: EVERY_MS,
  });

/** One version; 0 = the one that trades. */
export const useFlow = (name: string, version: number) =>
  useQuery({
    queryKey: ["flows", name, version],
    queryFn: ({ signal }) =>
      read("/api/v1/flows/{name}", { path: { name }, query: { version } }, signal),
    refetchInterval: EVERY_MS,
    enabled: name !== "",
  });

/** The newest days of live trading beside their replay. */
export const useComparisons = (name: string) =>
  useQuery({
    queryKey: ["flows", name, "comparisons"],
    queryFn: ({ signal }) => read("/api/v1/flows/{name}/comparisons", { path: { name } }, signal),
    enabled: name !== "",
  });
