/** Health of the link: clock offset, one-way delay, and the state that the connection pill shows. */

export type LinkState = "live" | "delayed" | "stale" | "reconnecting" | "offline" | "signed_out";

export type LinkFacts = {
  isOpen: boolean;
  isRestoring: boolean;
  isSignedOut: boolean;
  isOnline: boolean;
  lastFrameMs: number;
  delayMs: number | null;
};

const DELAYED_AFTER_MS = 2_000;
const STALE_AFTER_MS = 5_000;
const OFFLINE_AFTER_MS = 60_000;
const DELAY_LIMIT_MS = 250;

/** The state of ui.md §4.3; an open socket counts more than what the browser says about networks. */
export function linkState(facts: LinkFacts, nowMs: number): LinkState {
  if (facts.isSignedOut) return "signed_out";
  const quietMs = nowMs - facts.lastFrameMs;
  if (quietMs > OFFLINE_AFTER_MS || (!facts.isOpen && !facts.isOnline)) return "offline";
  if (!facts.isOpen || facts.isRestoring) return "reconnecting";
  if (quietMs > STALE_AFTER_MS) return "stale";
  if (quietMs > DELAYED_AFTER_MS || (facts.delayMs ?? 0) > DELAY_LIMIT_MS) return "delayed";
  return "live";
}

const SAMPLES = 15;

/** Offset between the server's clock and ours from the fastest ping; delay from heartbeats. */
export class LinkClock {
  private bestRttUs = Infinity;
  private offsetUs = 0;
  private delays: number[] = [];

  /** A ping sent at `sentUs` was answered at server time `serverUs` and arrived at `nowUs`. */
  pong(sentUs: number, serverUs: number, nowUs: number): void {
    const rttUs = nowUs - sentUs;
    // The best round trip ages, so that a clock that is set or drifts is followed.
    this.bestRttUs *= 1.05;
    if (rttUs > this.bestRttUs) return;
    this.bestRttUs = rttUs;
    this.offsetUs = serverUs - (sentUs + nowUs) / 2;
  }

  /** A heartbeat stamped `serverUs` arrived at `nowUs`. */
  heartbeat(serverUs: number, nowUs: number): void {
    if (this.bestRttUs === Infinity) return;
    this.delays.push(Math.max(0, nowUs + this.offsetUs - serverUs));
    if (this.delays.length > SAMPLES) this.delays.shift();
  }

  /** Median one-way delay in milliseconds, or null before the first measurement. */
  delayMs(): number | null {
    const sorted = this.delays.toSorted((a, b) => a - b);
    const middle = sorted[Math.floor(sorted.length / 2)];
    return middle === undefined ? null : middle / 1000;
  }

  reset(): void {
    this.bestRttUs = Infinity;
    this.delays = [];
  }
}
