/** What the learning page asks. */

import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { read } from "./typed";

const EVERY_MS = 5_000;
const PAGE = 60;

export const useLearning = () =>
  useQuery({
    queryKey: ["learning"],
    queryFn: ({ signal }) => read("/api/v1/learning", {}, signal),
    refetchInterval: EVERY_MS,
  });

/** Resolved events of a symbol, newest first, page by page. */
export const useOutcomes = (symbol: string) =>
  useInfiniteQuery({
    queryKey: ["learning", "outcomes", symbol],
    queryFn: ({ pageParam, signal }) => {
      const query = { symbol, limit: PAGE, ...(pageParam ? { cursor: pageParam } : {}) };
      return read("/api/v1/learning/outcomes", { query }, signal);
    },
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor,
    placeholderData: keepPreviousData,
  });
