/** The price chart in the page: feeds the chart object, shows the legend, takes the keyboard. */

import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Bars, CandleRow, DecisionItem, Indicators, PositionItem } from "../gen/protocol";
import { useZone } from "../state/preferences";
import { t } from "../strings";
import { ChartLegend } from "./ChartLegend";
import { marksOf } from "./marks";
import { readPalette, usePaletteKey } from "./palette";
import { type LineName, OSCILLATOR, OVERLAYS, PriceChart } from "./PriceChart";
import { positionLines } from "./positionLines";
import { candlePoint, candlePoints, linePoints } from "./series";
import { useLiveCandle } from "./useLiveCandle";

export type PriceChartProps = {
  bars: Bars;
  indicators: Indicators | undefined;
  digits: number;
  hidden: ReadonlySet<string>;
  decisions: readonly DecisionItem[];
  positions: readonly PositionItem[];
  isFollowing: boolean;
  setFollowing: (isFollowing: boolean) => void;
  onReachStart: () => void;
  onNewBar: () => void;
  onOpenDecision: (id: string) => void;
};

const LINES: readonly LineName[] = [...OVERLAYS, OSCILLATOR];
const NEAR_START_BARS = 25;

export default function PriceChartView(props: PriceChartProps) {
  const { bars, indicators, digits, hidden, decisions, positions, isFollowing, setFollowing } =
    props;
  const host = useRef<HTMLDivElement>(null);
  const [chart, setChart] = useState<PriceChart | null>(null);
  const [cursor, setCursor] = useState<number | null>(null);
  const market = `${bars.symbol}|${bars.period_s}`;
  const shown = useRef("");
  const points = useMemo(() => candlePoints(bars), [bars]);
  const handlers = useRef(props);
  useEffect(() => {
    handlers.current = props;
  });

  useChartObject(host, setChart, handlers);
  useColours(chart);
  useEffect(() => chart?.setDigits(digits), [chart, digits]);
  useEffect(() => chart?.setFollow(isFollowing), [chart, isFollowing]);
  useEffect(() => {
    if (!chart) return;
    chart.setBars(points, shown.current !== market);
    shown.current = market;
  }, [chart, points, market]);
  useEffect(() => {
    if (!chart || indicators?.symbol !== bars.symbol || indicators.period_s !== bars.period_s)
      return;
    for (const name of LINES) chart.setLine(name, linePoints(indicators, name));
  }, [chart, indicators, bars.symbol, bars.period_s]);
  useEffect(() => {
    for (const name of LINES) chart?.showLine(name, !hidden.has(name));
  }, [chart, hidden]);
  useEffect(
    () => chart?.setMarks(hidden.has("decisions") ? [] : marksOf(decisions, bars.period_s), points),
    [chart, decisions, points, bars.period_s, hidden],
  );
  useEffect(() => chart?.setPositions(positionLines(positions)), [chart, positions]);

  const draw = useCallback(
    (rows: readonly CandleRow[]) => {
      if (!chart) return;
      for (const row of rows) {
        const point = candlePoint(row);
        const isNew = Number(point.time) > chart.lastTimeS;
        chart.update(point);
        if (isNew) handlers.current.onNewBar();
      }
    },
    [chart],
  );
  useLiveCandle(bars.symbol, bars.period_s, draw);

  const onKeyDown = (event: KeyboardEvent) => {
    if (!chart || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const step = event.key === "ArrowLeft" ? -1 : 1;
      const next = Math.min(points.length - 1, Math.max(0, (cursor ?? points.length) + step));
      const point = points[next];
      if (point) chart.chart.setCrosshairPosition(point.close, point.time, chart.candles);
      setCursor(next);
    } else if (event.key === "+" || event.key === "-") {
      chart.zoom(event.key === "+" ? 0.8 : 1.25);
      setFollowing(false);
    } else if (event.key === "End") {
      chart.chart.timeScale().scrollToRealTime();
      setFollowing(true);
    } else return;
    event.preventDefault();
  };
  return (
    <div
      className="chart-host"
      role="application"
      aria-roledescription={t("chart.role")}
      aria-label={t("chart.summary", { symbol: bars.symbol, count: bars.time_us.length })}
      tabIndex={0}
      onKeyDown={onKeyDown}
      data-testid="price-chart"
    >
      <div
        ref={host}
        className="chart-canvas"
        onWheel={() => setFollowing(false)}
        onPointerMove={(event) => event.buttons > 0 && setFollowing(false)}
      />
      {chart && (
        <ChartLegend
          chart={chart}
          bars={bars}
          indicators={indicators}
          digits={digits}
          cursor={cursor}
          hidden={hidden}
        />
      )}
    </div>
  );
}

type Handlers = { current: PriceChartProps };

/** Makes the chart once and removes it with the page. */
function useChartObject(
  host: { current: HTMLDivElement | null },
  setChart: (chart: PriceChart | null) => void,
  handlers: Handlers,
): void {
  const zone = useZone();
  const first = useRef({ zone });
  useEffect(() => {
    if (!host.current) return undefined;
    const made = new PriceChart(host.current, readPalette(), first.current.zone);
    made.onRange((range) => range.from < NEAR_START_BARS && handlers.current.onReachStart());
    made.onClickMark((id) => handlers.current.onOpenDecision(id));
    setChart(made);
    return () => {
      made.dispose();
      setChart(null);
    };
  }, [host, setChart, handlers]);
}

/** Canvas does not follow the theme by itself. */
function useColours(chart: PriceChart | null): void {
  const key = usePaletteKey();
  const zone = useZone();
  useEffect(() => {
    if (!chart) return undefined;
    // One frame later the new theme's custom properties are in force.
    const id = requestAnimationFrame(() => chart.recolour(readPalette(), zone));
    return () => cancelAnimationFrame(id);
    // `key` says that the custom properties behind readPalette changed.
    // oxlint-disable-next-line react/exhaustive-effect-dependencies
  }, [chart, key, zone]);
}
