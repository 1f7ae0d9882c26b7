/** What the page asks once for all of its widgets. */

import { useRead } from "../../api/admin";

const SECOND_MS = 1_000;

/** The account's limits and exposure, asked for every second. */
export const useRisk = () => useRead("/api/v1/risk", {}, { every: SECOND_MS });

export type RiskQuery = ReturnType<typeof useRisk>;
