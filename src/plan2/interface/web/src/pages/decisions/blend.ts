/** How votes become one probability: the weighted mean of their log-odds. */

import type { Vote } from "../../gen/protocol";

/** ln(p / (1 − p)). */
export const logOdds = (p: number): number => Math.log(p / (1 - p));

/** What a vote adds to the blend, in log-odds; nothing when it abstained. */
export const contribution = (vote: Vote): number =>
  vote.abstained || vote.weight === 0 ? 0 : vote.weight * logOdds(vote.calibrated);

/** The sum of all contributions, and the probability of up that it stands for. */
export function blend(votes: readonly Vote[]): { sum: number; p: number } {
  const sum = votes.reduce((total, vote) => total + contribution(vote), 0);
  return { sum, p: 1 / (1 + Math.exp(-sum)) };
}
