/** Equity and balance over time with the drawdown below. */

import {
  AreaSeries,
  createChart,
  type IChartApi,
  type ISeriesApi,
  LineSeries,
  type SeriesType,
} from "lightweight-charts";
import { useEffect, useMemo, useRef } from "react";
import { money, percent } from "../format/numbers";
import type { Equity } from "../gen/protocol";
import { useZone } from "../state/preferences";
import { t } from "../strings";
import { chartOptions } from "./options";
import { readPalette, usePaletteKey, withAlpha } from "./palette";
import { type LinePoint, seconds } from "./series";

type Lines = { equity: LinePoint[]; balance: LinePoint[]; drawdown: LinePoint[] };

/** One point per second at most, which is what the library's time scale can hold. */
function linesOf(data: Equity): Lines {
  const lines: Lines = { equity: [], balance: [], drawdown: [] };
  let peak = -Infinity;
  data.time_us.forEach((us, i) => {
    const time = seconds(us);
    const next = data.time_us[i + 1];
    const equity = Number(data.equity[i]);
    peak = Math.max(peak, equity);
    if (next !== undefined && seconds(next) === time) return;
    lines.equity.push({ time, value: equity });
    lines.balance.push({ time, value: Number(data.balance[i]) });
    lines.drawdown.push({ time, value: peak > 0 ? equity / peak - 1 : 0 });
  });
  return lines;
}

type Drawn = {
  chart: IChartApi;
  series: Record<keyof Lines, ISeriesApi<SeriesType>>;
  isFitted: boolean;
};

function make(host: HTMLElement): Drawn {
  const chart = createChart(host, chartOptions(readPalette(), "utc"));
  const quiet = { priceLineVisible: false, crosshairMarkerRadius: 3 };
  const series = {
    equity: chart.addSeries(AreaSeries, {
      ...quiet,
      lineWidth: 2,
      priceFormat: { type: "custom", formatter: (value: number) => money(value) },
    }),
    balance: chart.addSeries(LineSeries, {
      ...quiet,
      lineWidth: 1,
      lastValueVisible: false,
      lineType: 1,
    }),
    drawdown: chart.addSeries(
      AreaSeries,
      {
        ...quiet,
        lineWidth: 1,
        invertFilledArea: true,
        priceFormat: {
          type: "custom",
          minMove: 0.0001,
          formatter: (value: number) => percent(value),
        },
      },
      1,
    ),
  };
  chart.panes()[0]?.setStretchFactor(3);
  chart.panes()[1]?.setStretchFactor(1);
  return { chart, series, isFitted: false };
}

export default function EquityChart({ data }: { data: Equity }) {
  const host = useRef<HTMLDivElement>(null);
  const drawn = useRef<Drawn | null>(null);
  const key = usePaletteKey();
  const zone = useZone();
  const lines = useMemo(() => linesOf(data), [data]);
  useEffect(() => {
    if (!host.current) return undefined;
    const made = make(host.current);
    drawn.current = made;
    return () => {
      made.chart.remove();
      drawn.current = null;
    };
  }, []);
  useEffect(() => {
    const id = requestAnimationFrame(() => {
      const palette = readPalette();
      drawn.current?.chart.applyOptions(chartOptions(palette, zone));
      drawn.current?.series.equity.applyOptions({
        lineColor: palette.accent,
        topColor: withAlpha(palette.accent, 0.24),
        bottomColor: withAlpha(palette.accent, 0.02),
      });
      drawn.current?.series.balance.applyOptions({ color: palette.dim });
      drawn.current?.series.drawdown.applyOptions({
        lineColor: palette.down,
        topColor: withAlpha(palette.down, 0.04),
        bottomColor: withAlpha(palette.down, 0.28),
      });
    });
    return () => cancelAnimationFrame(id);
    // `key` says that the custom properties behind readPalette changed.
    // oxlint-disable-next-line react/exhaustive-effect-dependencies
  }, [key, zone]);
  useEffect(() => {
    const { current } = drawn;
    if (!current) return;
    const kept = current.isFitted ? current.chart.timeScale().getVisibleLogicalRange() : null;
    for (const name of ["equity", "balance", "drawdown"] as const)
      current.series[name].setData(lines[name]);
    if (kept === null) current.chart.timeScale().fitContent();
    current.isFitted = lines.equity.length > 1;
  }, [lines]);
  const last = data.equity.at(-1);
  return (
    <div
      className="chart-host"
      role="group"
      aria-label={t("equity.summary", { count: data.time_us.length, last: money(last) })}
      data-testid="equity-chart"
    >
      <div ref={host} className="chart-canvas" />
      <div className="chart-legend">
        <span className="is-bands">
          {t("account.equity")} <b>{money(last)}</b>
        </span>
        <span className="dim">
          {t("account.balance")} <b>{money(data.balance.at(-1))}</b>
        </span>
        <span className="down">{t("equity.drawdown_shown")}</span>
      </div>
    </div>
  );
}
