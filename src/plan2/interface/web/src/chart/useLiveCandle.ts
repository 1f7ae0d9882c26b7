/** The running bar straight from the stream into the chart, at most twenty times a second. */

import { useEffect } from "react";
import type { CandleRow } from "../gen/protocol";
import { StateModel } from "../stream/models";
import { useStream } from "../stream/react";

const EVERY_MS = 50;

export function useLiveCandle(
  symbol: string,
  periodS: number,
  draw: (rows: readonly CandleRow[]) => void,
): void {
  const client = useStream();
  useEffect(() => {
    if (!symbol) return undefined;
    const params = { symbol, period_s: periodS };
    let drawnAt = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const drawNow = () => {
      timer = undefined;
      drawnAt = performance.now();
      const model = client.registry.get("candle", params)?.model;
      if (model instanceof StateModel) draw(model.list() as CandleRow[]);
    };
    const changed = () => {
      if (timer !== undefined) return;
      const waitMs = EVERY_MS - (performance.now() - drawnAt);
      if (waitMs <= 0) drawNow();
      else timer = setTimeout(drawNow, waitMs);
    };
    const stop = client.subscribe("candle", params, changed);
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [client, symbol, periodS, draw]);
}
