/** What is offered for a candidate as it stands, and two of them side by side. */

import { describe, expect, it } from "vitest";
import { deedsOf, upOf } from "../src/pages/models/CandidateActions";
import { rowsOf } from "../src/pages/models/CompareWidget";
import type { Candidate, Card } from "../src/pages/models/candidate";
import { leakOf, toneOf } from "../src/pages/models/Flags";
import { happenings } from "../src/pages/models/happenings";
import { sourcesOf } from "../src/pages/models/sources";

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

const seat = (changes: Partial<Card["seats"][number]>): Card["seats"][number] => ({
  alias: "champion",
  at_us: 20,
  by: "user:u1",
  is_gained: false,
  is_rollback: true,
  other: "b2",
  reason: "it loses",
  symbol: "EURUSD",
  ...changes,
});

const gates = (is_met: boolean): Card["gates"] => [
  { state: "champion", is_open: is_met, conditions: [{ name: "leak", is_met, sentence: "" }] },
];

describe("a flag", () => {
  it("alarms nobody where the simulated market's planted edge explains the figures", () => {
    expect(toneOf("PLANTED_EDGE")).toBe("is-accent");
    expect(toneOf("LEAK_SUSPECT")).toBe("is-warn");
  });

  it("of a leak alarms only where a gate holds it against the candidate", () => {
    expect(leakOf(["LEAK_SUSPECT"], gates(false))).toBe("stops");
    expect(leakOf(["LEAK_SUSPECT"], gates(true))).toBe("planted");
    expect(leakOf(["LEAK_SUSPECT"], [])).toBe("");
    expect(leakOf(["PLANTED_EDGE"], gates(true))).toBe("");
  });
});

describe("what a model's features looked at", () => {
  it("is named with its hash: other symbols and the calendar", () => {
    const sources = { "closes GBPUSD": "ab12", "events EUR USD": "cd34" };
    expect(sourcesOf({ provenance: { sources } })).toEqual([
      { name: "Closes of GBPUSD", hash: "ab12" },
      { name: "Events of EUR, USD", hash: "cd34" },
    ]);
  });

  it("is nothing for models of before, and for those that look at their own ticks alone", () => {
    expect(sourcesOf(undefined)).toEqual([]);
    expect(sourcesOf({ provenance: { rows: 3 } })).toEqual([]);
    expect(sourcesOf({ provenance: { sources: {} } })).toEqual([]);
  });
});

describe("a candidate's history", () => {
  it("tells seats among the moves, newest first, symbols that went together in one line", () => {
    const move = {
      at_us: 10,
      by: "system",
      evidence: [],
      from_state: "canary",
      is_override: false,
      reason: "better",
      to_state: "champion",
    };
    const found = happenings([move], [seat({ symbol: "USDJPY" }), seat({}), seat({ at_us: 5 })]);
    expect(found.map((one) => [one.at_us, one.words, one.note])).toEqual([
      [20, "No longer serves EURUSD, USDJPY: b2 does", "Rolled back"],
      [10, "Canary → Champion", ""],
      [5, "No longer serves EURUSD: b2 does", "Rolled back"],
    ]);
    expect(found[0]?.reason).toBe("it loses");
  });

  it("begins and ends calmly where there is nobody else to name", () => {
    const [first] = happenings([], [seat({ is_gained: true, is_rollback: false, other: "" })]);
    expect(first?.words).toBe("Begins to serve EURUSD");
    const [last] = happenings([], [seat({ is_rollback: false, other: "" })]);
    expect(last?.words).toBe("No longer serves EURUSD; no model does now");
  });
});
