/** How questions are asked again: a refusal stays one, a busy server is waited for. */

import { QueryClient } from "@tanstack/react-query";
import { ApiProblem } from "./client";

const MAX_TRIES = 2;
const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;
/** Of the wait, at most, added by chance: pages that were refused together do not come together. */
const SPREAD = 0.25;

/** Whether the server said to come back later: it is shedding load, or a rate is used up. */
export function isBusy(error: unknown): error is ApiProblem {
  return (
    error instanceof ApiProblem &&
    (error.status === 429 || error.status === 503) &&
    error.retryAfterS !== null
  );
}

/** For questions whose other failures are told at once. */
export const whileBusy = (_count: number, error: Error): boolean => isBusy(error);

function isAskedAgain(count: number, error: Error): boolean {
  if (isBusy(error)) return true;
  return (
    count < MAX_TRIES &&
    (!(error instanceof ApiProblem) || error.status === 0 || error.status >= 500)
  );
}

/** Milliseconds until a question is asked again; a busy server says how long. */
export function pauseMs(count: number, error: unknown): number {
  if (!isBusy(error)) return Math.min(FIRST_MS * 2 ** count, LONGEST_MS);
  const told = Math.min(Math.max((error.retryAfterS ?? 0) * 1000, FIRST_MS), LONGEST_MS);
  return told * (1 + SPREAD * Math.random());
}

export const newQueries = (): QueryClient =>
  new QueryClient({
    defaultOptions: { queries: { staleTime: 5_000, retry: isAskedAgain, retryDelay: pauseMs } },
  });
