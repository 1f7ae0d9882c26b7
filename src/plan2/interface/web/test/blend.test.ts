import { describe, expect, it } from "vitest";
import type { Vote } from "../src/gen/protocol";
import { blend, contribution } from "../src/pages/decisions/blend";

const vote = (calibrated: number, weight: number, abstained = ""): Vote => ({
  model_id: "m",
  family: "f",
  raw: 0.5,
  calibrated,
  weight,
  abstained,
});

describe("blend", () => {
  it("is the weighted mean of log-odds", () => {
    // By hand: odds 4 and 1/4 cancel out; odds 9 and 1 with equal weights have the mean √9 = 3.
    expect(blend([vote(0.8, 0.5), vote(0.2, 0.5)]).p).toBeCloseTo(0.5, 12);
    expect(blend([vote(0.9, 0.5), vote(0.5, 0.5)]).p).toBeCloseTo(0.75, 12);
  });

  it("counts an abstained vote for nothing", () => {
    expect(contribution(vote(0, 0, "failed"))).toBe(0);
    expect(blend([vote(0.75, 1), vote(0.1, 0, "failed")]).p).toBeCloseTo(0.75, 12);
  });
});
