import { describe, expect, it } from "vitest";
import { type Job, withRow } from "../src/api/jobs";
import {
  dayOf,
  endOf,
  familiesOf,
  figureOf,
  startOf,
  symbolsOf,
  whole,
} from "../src/pages/training/parameters";

const JOB: Job = {
  job_id: "j1",
  kind: "train",
  state: "waiting",
  parameters: { symbols: ["EURUSD", "USDJPY"], families: ["xgboost"], horizon_minutes: 60 },
  asked_by: "user:u1",
  asked_us: 1,
  started_us: 0,
  ended_us: 0,
  fraction: 0,
  message: "",
  verdict: "",
  failure: null,
};

describe("days of a training", () => {
  it("begin at midnight UTC and end at the next", () => {
    // 2024-02-29 00:00:00 UTC is 1709164800 s since 1970.
    expect(startOf("2024-02-29")).toBe(1_709_164_800_000_000);
    expect(endOf("2024-02-29")).toBe(1_709_251_200_000_000);
    expect(dayOf(1_709_164_800_000_000)).toBe("2024-02-29");
    expect(dayOf((endOf("2024-02-29") ?? 0) - 1)).toBe("2024-02-29");
  });
  it("are none when nothing was chosen or it is no day", () => {
    expect([startOf(""), endOf(""), startOf("2024-13-01")]).toEqual([null, null, null]);
  });
});

describe("figures of the form", () => {
  it("are whole numbers within their range", () => {
    expect(["1", "43200", " 60 "].map((text) => whole(text, 1, 43_200))).toEqual([1, 43_200, 60]);
    for (const text of ["0", "43201", "", "1.5", "-1", "1e3", "99999999999"])
      expect(whole(text, 1, 43_200)).toBeNull();
  });
});

describe("a job", () => {
  it("shows its parameters, and nothing where they are of another kind", () => {
    expect([symbolsOf(JOB), familiesOf(JOB), figureOf(JOB, "horizon_minutes")]).toEqual([
      "EURUSD, USDJPY",
      ["xgboost"],
      60,
    ]);
    const other = { ...JOB, parameters: { symbols: 3 } };
    expect([symbolsOf(other), familiesOf(other), figureOf(other, "seed")]).toEqual(["", [], 0]);
  });
  it("stands as the stream says, as long as the stream knows it", () => {
    const row = ["j1", "train", "running", 0.5, "fold 2 of 3", 1, 2] as const;
    expect(withRow(JOB, [row])).toMatchObject({ state: "running", fraction: 0.5, started_us: 2 });
    expect(withRow(JOB, [])).toBe(JOB);
    expect(withRow(JOB, null)).toBe(JOB);
  });
});
