/**
 * The price chart: candles, overlays, RSI pane, decision markers and position lines.
 *
 * The visible range belongs to the person: updates go through `series.update` and never move it,
 * unless "follow" is on, which any drag or zoom switches off.
 */

import {
  CandlestickSeries,
  createChart,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  LineSeries,
  LineStyle,
  type LogicalRange,
  type MouseEventParams,
  type Time,
} from "lightweight-charts";
import type { Zone } from "../format/times";
import { type DecisionMark, DecisionMarkers } from "./decisionMarkers";
import { chartOptions } from "./options";
import type { ChartPalette } from "./palette";
import type { CandlePoint, LinePoint } from "./series";

export const OVERLAYS = ["ema_20", "bb_upper_20_2", "bb_lower_20_2"] as const;
export const OSCILLATOR = "rsi_14";
export type LineName = (typeof OVERLAYS)[number] | typeof OSCILLATOR;

export type PositionLine = { price: number; title: string; tone: "entry" | "stop" | "target" };

const FIRST_BARS = 110;
const RIGHT_BARS = 6;

export class PriceChart {
  readonly chart: IChartApi;
  readonly candles: ISeriesApi<"Candlestick">;
  private readonly markers: DecisionMarkers;
  private lines = new Map<LineName, ISeriesApi<"Line">>();
  private known = new Map<LineName, { first: number; last: number }>();
  private positionLines: IPriceLine[] = [];
  private readonly levels: IPriceLine[];
  private firstTime = 0;
  private lastTime = 0;

  constructor(
    host: HTMLElement,
    private palette: ChartPalette,
    zone: Zone,
  ) {
    this.chart = createChart(host, chartOptions(palette, zone));
    this.chart.timeScale().applyOptions({ rightOffset: RIGHT_BARS });
    this.candles = this.chart.addSeries(CandlestickSeries, { borderVisible: false });
    this.markers = new DecisionMarkers(palette);
    this.candles.attachPrimitive(this.markers);
    for (const name of OVERLAYS)
      this.lines.set(name, this.chart.addSeries(LineSeries, lineOptions()));
    const oscillator = this.chart.addSeries(
      LineSeries,
      {
        ...lineOptions(),
        lastValueVisible: true,
        priceFormat: { type: "price", precision: 1, minMove: 0.1 },
      },
      1,
    );
    this.lines.set(OSCILLATOR, oscillator);
    this.levels = [30, 70].map((price) =>
      oscillator.createPriceLine({
        price,
        lineWidth: 1,
        lineStyle: LineStyle.Dashed,
        axisLabelVisible: false,
        title: "",
      }),
    );
    this.chart.panes()[0]?.setStretchFactor(4);
    this.chart.panes()[1]?.setStretchFactor(1);
    this.recolour(palette, zone);
  }

  recolour(palette: ChartPalette, zone: Zone): void {
    this.palette = palette;
    this.chart.applyOptions(chartOptions(palette, zone));
    const { up, down } = palette;
    this.candles.applyOptions({
      upColor: up,
      downColor: down,
      wickUpColor: up,
      wickDownColor: down,
    });
    const colours: Record<LineName, string> = {
      ema_20: palette.warn,
      bb_upper_20_2: palette.accent,
      bb_lower_20_2: palette.accent,
      rsi_14: palette.violet,
    };
    for (const [name, line] of this.lines) line.applyOptions({ color: colours[name] });
    for (const level of this.levels) level.applyOptions({ color: palette["line-strong"] });
    this.markers.recolour(palette);
  }

  setDigits(digits: number): void {
    this.candles.applyOptions({
      priceFormat: { type: "price", precision: digits, minMove: 10 ** -digits },
    });
  }

  setFollow(isFollowing: boolean): void {
    this.chart.timeScale().applyOptions({ shiftVisibleRangeOnNewBar: isFollowing });
  }

  /** Takes a fetched window of bars. Only another market or older bars replace the data. */
  setBars(points: CandlePoint[], isOtherMarket: boolean): void {
    if (isOtherMarket) this.known.clear();
    const [first] = points;
    const last = points.at(-1);
    if (!first || !last) {
      this.candles.setData([]);
      return;
    }
    const kept = isOtherMarket ? null : this.chart.timeScale().getVisibleRange();
    const isSameStart =
      !isOtherMarket && this.firstTime !== 0 && Number(first.time) >= this.firstTime;
    if (isSameStart) for (const point of points) this.update(point);
    else {
      this.candles.setData(points);
      this.firstTime = Number(first.time);
      this.lastTime = Number(last.time);
      if (kept) this.chart.timeScale().setVisibleRange(kept);
      else this.showLatest(points.length);
    }
  }

  /** The running bar, or one that just began. */
  update(point: CandlePoint): void {
    if (Number(point.time) < this.lastTime) return;
    this.lastTime = Number(point.time);
    this.candles.update(point);
  }

  get lastTimeS(): number {
    return this.lastTime;
  }

  /** An indicator's line; what continues the known line is appended, anything else replaces it. */
  setLine(name: LineName, points: LinePoint[]): void {
    const line = this.lines.get(name);
    const known = this.known.get(name);
    const first = Number(points[0]?.time ?? 0);
    const last = Number(points.at(-1)?.time ?? 0);
    if (!line) return;
    if (known && first >= known.first && first <= known.last && last >= known.last) {
      for (const point of points) if (Number(point.time) >= known.last) line.update(point);
      this.known.set(name, { first: known.first, last });
    } else {
      line.setData(points);
      this.known.set(name, { first, last });
    }
  }

  showLine(name: LineName, isVisible: boolean): void {
    this.lines.get(name)?.applyOptions({ visible: isVisible });
  }

  setMarks(marks: readonly DecisionMark[], candles: readonly CandlePoint[]): void {
    this.markers.show(marks, new Map(candles.map((point) => [Number(point.time), point])));
  }

  setPositions(lines: readonly PositionLine[]): void {
    for (const line of this.positionLines) this.candles.removePriceLine(line);
    const colours = {
      entry: this.palette.accent,
      stop: this.palette.down,
      target: this.palette.up,
    };
    this.positionLines = lines.map(({ price, title, tone }) =>
      this.candles.createPriceLine({
        price,
        title,
        color: colours[tone],
        lineWidth: 1,
        lineStyle: tone === "entry" ? LineStyle.Solid : LineStyle.Dashed,
        axisLabelVisible: true,
      }),
    );
  }

  showLatest(count: number): void {
    this.chart
      .timeScale()
      .setVisibleLogicalRange({ from: count - FIRST_BARS, to: count + RIGHT_BARS });
  }

  /** Zooms around the right edge: factor < 1 shows fewer bars. */
  zoom(factor: number): void {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (range)
      this.chart
        .timeScale()
        .setVisibleLogicalRange({
          from: range.to - (range.to - range.from) * factor,
          to: range.to,
        });
  }

  /** First and last second in sight; null while there is nothing. */
  get shownS(): readonly [number, number] | null {
    const range = this.chart.timeScale().getVisibleRange();
    return range && [Number(range.from), Number(range.to)];
  }

  onRange(handle: (range: LogicalRange) => void): void {
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => range && handle(range));
  }

  onClickMark(handle: (id: string) => void): void {
    this.chart.subscribeClick((event: MouseEventParams<Time>) => {
      const id = event.hoveredInfo?.objectId ?? event.hoveredObjectId;
      if (typeof id === "string") handle(id);
    });
  }

  dispose(): void {
    this.chart.remove();
  }
}

function lineOptions() {
  return {
    lineWidth: 1,
    priceLineVisible: false,
    lastValueVisible: false,
    crosshairMarkerVisible: false,
  } as const;
}
