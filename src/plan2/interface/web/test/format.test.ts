import { describe, expect, it } from "vitest";
import {
  DASH,
  MINUS,
  compact,
  duration,
  lots,
  money,
  percent,
  price,
  significant,
} from "../src/format/numbers";
import { ago, clock, full, precise, recordTimeUs, zoneName } from "../src/format/times";
import { sentence, words } from "../src/strings";

describe("numbers", () => {
  it("shows prices with the decimals of the instrument", () => {
    expect([price(1.1, 5), price(151.2, 3), price(64_123.456, 2)]).toEqual([
      "1.10000",
      "151.200",
      "64123.46",
    ]);
  });

  it("keeps every digit of an amount and writes a real minus", () => {
    expect(money("12345678901234567.89")).toBe("12,345,678,901,234,567.89");
    expect(money("-12.4", true)).toBe(`${MINUS}12.40`);
    expect([money("12.4", true), money("0.00", true)]).toEqual(["+12.40", "0.00"]);
  });

  it("shows unknown as a dash, never as zero", () => {
    expect([price(null, 5), money(undefined), lots(""), significant(Number.NaN)]).toEqual([
      DASH,
      DASH,
      DASH,
      DASH,
    ]);
    expect(percent(0)).toBe("0.00\u202f%");
  });

  it("chooses readable units", () => {
    expect([
      duration(3.2),
      duration(950),
      duration(3_210),
      duration(41_000),
      duration(1_500_000),
    ]).toEqual(["3.2 µs", "950 µs", "3.21 ms", "41.0 ms", "1.5 s"]);
    expect([compact(999), compact(12_300)]).toEqual(["999", "12.3k"]);
    expect([significant(-0.000_012_3), significant(0.123_456_78)]).toEqual([
      `${MINUS}1.230e${MINUS}5`,
      "0.123457",
    ]);
  });
});

describe("times", () => {
  const us = Date.UTC(2026, 2, 29, 0, 59, 59, 123) * 1000;

  it("prints the zone with every time", () => {
    expect(full(us, "utc")).toBe("2026-03-29 00:59:59 UTC");
    expect(precise(us, "utc")).toBe("2026-03-29 00:59:59.123 UTC");
    expect(clock(us, "utc")).toBe("00:59:59");
    expect(zoneName("local", us)).toMatch(/^UTC/);
  });

  it("reads nanoseconds of records and coarse ages", () => {
    expect(recordTimeUs({ ts_ns: 1_700_000_000_123_456_000 })).toBe(1_700_000_000_123_456);
    expect([ago(0, 8_000_000), ago(0, 180_000_000), ago(0, 36_000_000_000)]).toEqual([
      "8 s",
      "3 min",
      "10 h",
    ]);
  });
});

describe("a sentence of the server", () => {
  it("keeps its minus and its hyphens", () => {
    expect(sentence("lower bound -0.0069, more than 0 is needed")).toBe(
      "Lower bound −0.0069, more than 0 is needed",
    );
    expect(sentence("e-value in favour 3")).toBe("E-value in favour 3");
    expect(words("leak_suspect")).toBe("Leak suspect");
  });
});
