/** Full-jitter back-off: a uniformly random delay below a bound that doubles from 0.25 s to 4 s. */

const FIRST_MS = 250;
/** The protocol allows 8 s; with 4 s a page is live within 5 s of the server's return. */
const CAP_MS = 4_000;

/** Delay in milliseconds before try number `attempt` (0 = first retry); `random` is in [0, 1). */
export function retryDelayMs(attempt: number, random: number): number {
  const bound = Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return Math.round(random * bound);
}
