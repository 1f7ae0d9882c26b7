/** What is offered for a candidate as it stands, and two of them side by side. */

import { describe, expect, it } from "vitest";
import { deedsOf, upOf } from "../src/pages/models/CandidateActions";
import { rowsOf } from "../src/pages/models/CompareWidget";
import type { Candidate } from "../src/pages/models/candidate";

const candidate = (changes: Partial<Candidate>): Candidate => ({
  age_days: 1,
  candidate_id: "a1",
  challenger_of: [],
  champion_of: [],
  created_us: 1,
  flags: [],
  last_good_of: [],
  leads_to: [],
  metrics: {},
  model_ids: ["xgboost-1"],
  parent: "",
  schema_id: "s",
  since_us: 1,
  state: "trained",
  symbols: ["EURUSD"],
  verdict: "skill",
  ...changes,
});

describe("a candidate's actions", () => {
  it("follow from where its state leads, in the order of the way up", () => {
    const one = candidate({ state: "canary", leads_to: ["champion", "retired", "shadow"] });
    expect(upOf(one)).toEqual(["shadow", "champion"]);
    expect(deedsOf(one)).toEqual(["promote", "retire"]);
  });

  it("of a champion are to roll back, suspend and retire", () => {
    const one = candidate({ champion_of: ["EURUSD"], leads_to: ["retired", "suspended"] });
    expect(deedsOf(one)).toEqual(["rollback", "suspend", "retire"]);
  });

  it("of a rejected one are none", () => {
    expect(deedsOf(candidate({ state: "rejected" }))).toEqual([]);
  });
});

describe("two candidates side by side", () => {
  it("show every figure of either, and a dash where one has none", () => {
    const first = candidate({ metrics: { accuracy: 0.53, dsr: 0.97 } });
    const second = candidate({ metrics: { accuracy: 0.5, pbo: null }, verdict: "insufficient" });
    expect(rowsOf(first, second)).toEqual([
      { name: "verdict", first: "Skill", second: "Insufficient" },
      { name: "accuracy", first: "0.53", second: "0.5" },
      { name: "dsr", first: "0.97", second: "–" },
      { name: "pbo", first: "–", second: "–" },
    ]);
  });
});
