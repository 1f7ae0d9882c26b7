/** What the alerts page asks; lists are asked again when the stream tells of a change. */

import { useInfiniteQuery } from "@tanstack/react-query";
import { useRead } from "./admin";
import { ADMINISTRATION } from "./queries";
import { type Answer, type Item, read } from "./typed";

export type Rule = Item<"/api/v1/alerts/rules">;
export type AlertItem = Item<"/api/v1/alerts">;
export type Channels = Answer<"get", "/api/v1/alerts/channels">;
export type Channel = Channels["items"][number];

const SECOND = 1_000;
const PAGE = 50;

export const useRules = () => useRead("/api/v1/alerts/rules", {}, { every: 2 * SECOND });
export const useChannels = () => useRead("/api/v1/alerts/channels", {}, { every: 10 * SECOND });

/** What was raised, newest first, page by page; of one state, or of all if empty. */
export const useAlerts = (state: "" | "open") =>
  useInfiniteQuery({
    queryKey: [ADMINISTRATION, "/api/v1/alerts", state],
    queryFn: ({ pageParam, signal }) => {
      const query = { limit: PAGE, state, ...(pageParam ? { cursor: pageParam } : {}) };
      return read("/api/v1/alerts", { query }, signal);
    },
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor,
  });
