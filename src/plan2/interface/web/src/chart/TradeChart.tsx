/** Candles with entries and exits of a backtest's trades on them; the chosen one is named. */

import {
  CandlestickSeries,
  createChart,
  createSeriesMarkers,
  type IChartApi,
  type ISeriesApi,
  type ISeriesMarkersPluginApi,
  type SeriesMarker,
  type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import { useEffect, useMemo, useRef } from "react";
import type { Trade } from "../api/backtests";
import { money } from "../format/numbers";
import type { Bars } from "../gen/protocol";
import { useZone } from "../state/preferences";
import { chartOptions } from "./options";
import { type ChartPalette, readPalette, usePaletteKey } from "./palette";
import { candlePoints } from "./series";

type Drawn = {
  chart: IChartApi;
  candles: ISeriesApi<"Candlestick">;
  markers: ISeriesMarkersPluginApi<Time>;
};

type Props = { bars: Bars; trades: readonly Trade[]; chosen: number; name: string };

/** Decimals that show the smallest step between two prices of the bars. */
export function decimalsOf(bars: Bars): number {
  const digits = bars.close.slice(0, 50).map((price) => (String(price).split(".")[1] ?? "").length);
  return Math.min(8, Math.max(2, ...digits));
}

/** An arrow at each entry, a circle at each exit, at the bar that holds it; sorted by time. */
export function markersOf(
  trades: readonly Trade[],
  period_s: number,
  chosen: number,
  palette: Pick<ChartPalette, "up" | "down" | "accent">,
): SeriesMarker<Time>[] {
  const at = (us: number) => (Math.floor(us / 1_000_000 / period_s) * period_s) as UTCTimestamp;
  return trades
    .flatMap((trade): SeriesMarker<Time>[] => {
      const isLong = trade.side > 0;
      const isChosen = trade.trade === chosen;
      const colour = isChosen ? palette.accent : trade.net > 0 ? palette.up : palette.down;
      return [
        {
          time: at(trade.open_us),
          position: isLong ? "belowBar" : "aboveBar",
          shape: isLong ? "arrowUp" : "arrowDown",
          color: colour,
          ...(isChosen ? { text: `#${trade.trade}` } : {}),
        },
        {
          time: at(trade.close_us),
          position: isLong ? "aboveBar" : "belowBar",
          shape: "circle",
          color: colour,
          ...(isChosen ? { text: money(trade.net, true) } : {}),
        },
      ];
    })
    .toSorted((one, other) => Number(one.time) - Number(other.time));
}

export default function TradeChart({ bars, trades, chosen, name }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const drawn = useRef<Drawn | null>(null);
  const key = usePaletteKey();
  const zone = useZone();
  const points = useMemo(() => candlePoints(bars), [bars]);
  useEffect(() => {
    if (!host.current) return undefined;
    const chart = createChart(host.current, chartOptions(readPalette(), "utc"));
    const candles = chart.addSeries(CandlestickSeries, { borderVisible: false });
    drawn.current = { chart, candles, markers: createSeriesMarkers(candles, []) };
    return () => {
      chart.remove();
      drawn.current = null;
    };
  }, []);
  useEffect(() => {
    const { current } = drawn;
    if (!current) return;
    const precision = decimalsOf(bars);
    current.candles.applyOptions({
      priceFormat: { type: "price", precision, minMove: 10 ** -precision },
    });
    current.candles.setData(points);
    current.chart.timeScale().fitContent();
  }, [bars, points]);
  useEffect(() => {
    const id = requestAnimationFrame(() => {
      const { current } = drawn;
      if (!current) return;
      const palette = readPalette();
      current.chart.applyOptions(chartOptions(palette, zone));
      current.candles.applyOptions({
        upColor: palette.up,
        downColor: palette.down,
        wickUpColor: palette.up,
        wickDownColor: palette.down,
      });
      current.markers.setMarkers(markersOf(trades, bars.period_s, chosen, palette));
    });
    return () => cancelAnimationFrame(id);
    // `key` says that the custom properties behind readPalette changed.
    // oxlint-disable-next-line react/exhaustive-effect-dependencies
  }, [key, zone, trades, bars, chosen]);
  return (
    <div className="chart-host" role="img" aria-label={name} data-testid="trade-chart">
      <div ref={host} className="chart-canvas" />
    </div>
  );
}
