/** Every account as it was at an instant. */

import { useQuery } from "@tanstack/react-query";
import { read } from "./typed";

const MINUTE_MS = 60_000;

/** The state at `at_us`; nothing is asked for 0. */
export const usePastState = (at_us: number) =>
  useQuery({
    queryKey: ["past", at_us],
    queryFn: ({ signal }) => read("/api/v1/audit/state", { query: { at_us } }, signal),
    enabled: at_us > 0,
    staleTime: MINUTE_MS,
  });
