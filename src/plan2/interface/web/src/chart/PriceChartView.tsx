/** The price chart in the page: feeds the chart object, shows the legend, takes the keyboard. */

import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import type {
  Bars,
  CandleRow,
  DecisionItem,
  EventItem,
  Indicators,
  PositionItem,
} from "../gen/protocol";
import { useZone } from "../state/preferences";
import { t } from "../strings";
import { ChartLegend } from "./ChartLegend";
import { barOf, decisionPath, fillMarksOf, marksOf } from "./marks";
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
  fills: readonly EventItem[];
  positions: readonly PositionItem[];
  isFollowing: boolean;
  setFollowing: (isFollowing: boolean) => void;
  onReachStart: () => void;
  onNewBar: () => void;
  /** Goes to the address of a mark. */
  onOpen: (path: string) => void;
};

const LINES: readonly LineName[] = [...OVERLAYS, OSCILLATOR];
const NEAR_START_BARS = 25;

export default function PriceChartView(props: PriceChartProps) {
  const { bars, indicators, digits, hidden, decisions, fills, positions } = props;
  const { isFollowing, setFollowing } = props;
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
  useEffect(() => {
    const drawn = hidden.has("fills") ? [] : fillMarksOf(fills, bars.symbol, bars.period_s);
    const taken = hidden.has("decisions") ? [] : marksOf(decisions, bars.period_s);
    chart?.setMarks([...taken, ...drawn], points);
  }, [chart, decisions, fills, points, bars.symbol, bars.period_s, hidden]);
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

  const atCursor = cursor === null ? [] : decisionsIn(decisions, bars, cursor);
  const step = (by: -1 | 1) => {
    const next = Math.min(points.length - 1, Math.max(0, (cursor ?? points.length) + by));
    const point = points[next];
    if (point) chart?.chart.setCrosshairPosition(point.close, point.time, chart.candles);
    setCursor(next);
  };
  const zoom = (factor: number) => {
    chart?.zoom(factor);
    setFollowing(false);
  };
  const follow = () => {
    chart?.chart.timeScale().scrollToRealTime();
    setFollowing(true);
  };
  const open = () => atCursor[0] && props.onOpen(decisionPath(atCursor[0].decision_id));
  const keys: Record<string, () => void> = {
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    "+": () => zoom(0.8),
    "-": () => zoom(1.25),
    End: follow,
    Enter: open,
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.altKey || event.metaKey) return;
    act();
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
          decisions={atCursor.length}
          hidden={hidden}
        />
      )}
    </div>
  );
}

/** The decisions within the bar of an index, the newest first. */
function decisionsIn(decisions: readonly DecisionItem[], bars: Bars, index: number) {
  const us = bars.time_us[index];
  if (us === undefined) return [];
  const bar = barOf(us, bars.period_s);
  return decisions.filter((one) => barOf(one.ts_us, bars.period_s) === bar);
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
    const { dataset } = host.current;
    made.onRange((range) => {
      const [from, to] = made.shownS ?? [0, 0];
      dataset.firstS = String(from);
      dataset.lastS = String(to);
      if (range.from < NEAR_START_BARS) handlers.current.onReachStart();
    });
    made.onClickMark((path) => handlers.current.onOpen(path));
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
