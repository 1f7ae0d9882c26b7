/** Our column answers as the points that the chart library takes. */

import type { CandlestickData, LineData, UTCTimestamp, WhitespaceData } from "lightweight-charts";
import type { Bars, CandleRow, Indicators } from "../gen/protocol";

export type LinePoint = LineData<UTCTimestamp> | WhitespaceData<UTCTimestamp>;
export type CandlePoint = CandlestickData<UTCTimestamp>;

export const seconds = (us: number): UTCTimestamp => Math.floor(us / 1_000_000) as UTCTimestamp;

export function candlePoints(bars: Bars): CandlePoint[] {
  return bars.time_us.map((us, i) => ({
    time: seconds(us),
    open: bars.open[i] ?? NaN,
    high: bars.high[i] ?? NaN,
    low: bars.low[i] ?? NaN,
    close: bars.close[i] ?? NaN,
  }));
}

export function candlePoint([us, open, high, low, close]: CandleRow): CandlePoint {
  return { time: seconds(us), open, high, low, close };
}

/** One indicator's line; undefined values leave a gap, never a zero. */
export function linePoints(indicators: Indicators, name: string): LinePoint[] {
  const values = indicators.values[name] ?? [];
  return indicators.time_us.map((us, i) => {
    const value = values[i];
    return value === null || value === undefined
      ? { time: seconds(us) }
      : { time: seconds(us), value };
  });
}
