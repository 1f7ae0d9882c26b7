/** Long work: asked over REST, and asked again whenever the stream says that something changed. */

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import type { JobRow } from "../gen/protocol";
import { useRows } from "../stream/react";
import { useRead } from "./admin";
import { ADMINISTRATION } from "./queries";
import type { Item } from "./typed";

export type Job = Item<"/api/v1/jobs">;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const JOBS_SHOWN = 100;
/** What may have changed when a job begins or ends. */
const TOLD = [
  "/api/v1/jobs",
  "/api/v1/jobs/{job_id}",
  "/api/v1/jobs/{job_id}/log",
  "/api/v1/backtests",
] as const;

export const isUnderWay = (state: string): boolean => state === "waiting" || state === "running";

/** How a job of a list stands now, as the stream tells it. */
export function withRow<Found extends Job>(job: Found, rows: readonly JobRow[] | null): Found {
  const row = rows?.find(([id]) => id === job.job_id);
  if (!row) return job;
  const [, , state, fraction, message, , started_us] = row;
  return { ...job, state, fraction, message, started_us };
}

/** The jobs that wait or run; whatever begins or ends has the lists asked for again. */
export function useLiveJobs(): readonly JobRow[] | null {
  const rows = useRows<JobRow>("jobs");
  const queries = useQueryClient();
  const standing = rows?.map(([id, , state]) => `${id} ${state}`).join() ?? "";
  const told = useRef(standing);
  useEffect(() => {
    if (told.current === standing) return;
    told.current = standing;
    for (const path of TOLD) void queries.invalidateQueries({ queryKey: [ADMINISTRATION, path] });
  }, [queries, standing]);
  return rows;
}

export const useJobs = () =>
  useRead("/api/v1/jobs", { query: { limit: JOBS_SHOWN } }, { every: 10 * SECOND });

export const useJob = (job_id: string) =>
  useRead("/api/v1/jobs/{job_id}", { path: { job_id } }, { enabled: job_id !== "" });

export const useJobLog = (job_id: string, isLive: boolean) =>
  useRead(
    "/api/v1/jobs/{job_id}/log",
    { path: { job_id } },
    { enabled: job_id !== "", ...(isLive ? { every: 2 * SECOND } : {}) },
  );

export const useTraining = () => useRead("/api/v1/training", {}, { staleTime: MINUTE });
