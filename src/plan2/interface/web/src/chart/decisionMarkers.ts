/**
 * Decisions drawn beside the candles: traded ones as filled triangles, others as hollow ones; fills
 * as diamonds at their price, entries filled.
 *
 * A series primitive of our own, because the library's markers cannot be hollow. Draws at most
 * MAX_MARKERS, the newest, and only those in view.
 */

import type {
  ISeriesPrimitive,
  IPrimitivePaneRenderer,
  IPrimitivePaneView,
  PrimitiveHoveredItem,
  SeriesAttachedParameter,
  Time,
} from "lightweight-charts";
import type { ChartPalette } from "./palette";

export type DecisionMark = {
  /** The address that a click opens. */
  id: string;
  timeS: number;
  sign: -1 | 0 | 1;
  /** Of a fill; a decision stands above or below its bar. */
  price?: number;
  isFilled: boolean;
  isDenied: boolean;
};
type Candle = { high: number; low: number };
type Drawn = { mark: DecisionMark; x: number; y: number };

const MAX_MARKERS = 300;
const HALF = 5;
const GAP = 12;
const HIT = 9;

type Target = Parameters<IPrimitivePaneRenderer["draw"]>[0];

export class DecisionMarkers implements ISeriesPrimitive<Time> {
  private marks: DecisionMark[] = [];
  private candles = new Map<number, Candle>();
  private drawn: Drawn[] = [];
  private attachment: SeriesAttachedParameter<Time> | null = null;
  private readonly views: readonly IPrimitivePaneView[] = [
    { zOrder: () => "top", renderer: () => ({ draw: (target: Target) => this.draw(target) }) },
  ];

  constructor(private palette: ChartPalette) {}

  attached(attachment: SeriesAttachedParameter<Time>): void {
    this.attachment = attachment;
  }

  detached(): void {
    this.attachment = null;
  }

  /** Shows these decisions; each must lie on the start of a bar in `candles`. */
  show(marks: readonly DecisionMark[], candles: Map<number, Candle>): void {
    this.marks = marks.slice(0, MAX_MARKERS);
    this.candles = candles;
    this.attachment?.requestUpdate();
  }

  recolour(palette: ChartPalette): void {
    this.palette = palette;
    this.attachment?.requestUpdate();
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return this.views;
  }

  updateAllViews(): void {
    this.drawn = [];
    const { attachment } = this;
    if (!attachment) return;
    const stacked = new Map<string, number>();
    for (const mark of this.marks) {
      const x = attachment.chart.timeScale().timeToCoordinate(mark.timeS as Time & number);
      if (mark.price !== undefined) {
        const y = attachment.series.priceToCoordinate(mark.price);
        if (x !== null && y !== null) this.drawn.push({ mark, x, y });
        continue;
      }
      const candle = this.candles.get(mark.timeS);
      const y =
        candle && attachment.series.priceToCoordinate(mark.sign < 0 ? candle.high : candle.low);
      if (x === null || y === null || y === undefined) continue;
      const place = `${mark.timeS}${mark.sign < 0}`;
      const level = stacked.get(place) ?? 0;
      stacked.set(place, level + 1);
      const away = GAP + level * (HALF * 2 + 2);
      this.drawn.push({ mark, x, y: y + (mark.sign < 0 ? -away : away) });
    }
  }

  hitTest(x: number, y: number): PrimitiveHoveredItem | null {
    // The one that was drawn last lies on top.
    const found = this.drawn.findLast(
      (one) => Math.abs(one.x - x) <= HIT && Math.abs(one.y - y) <= HIT,
    );
    return found ? { externalId: found.mark.id, zOrder: "top", cursorStyle: "pointer" } : null;
  }

  private draw(target: Target): void {
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      for (const one of this.drawn) {
        if (one.x < -HALF || one.x > mediaSize.width + HALF) continue;
        this.drawOne(context, one);
      }
    });
  }

  private drawOne(context: CanvasRenderingContext2D, { mark, x, y }: Drawn): void {
    const colour =
      mark.sign > 0 ? this.palette.up : mark.sign < 0 ? this.palette.down : this.palette.dim;
    const tip = mark.sign < 0 ? y + HALF : y - HALF;
    const base = mark.sign < 0 ? y - HALF : y + HALF;
    context.beginPath();
    if (mark.price !== undefined) {
      context.moveTo(x, y - HALF);
      context.lineTo(x + HALF, y);
      context.lineTo(x, y + HALF);
      context.lineTo(x - HALF, y);
      context.closePath();
    } else if (mark.sign === 0) context.arc(x, y, HALF - 1, 0, Math.PI * 2);
    else {
      context.moveTo(x, tip);
      context.lineTo(x + HALF, base);
      context.lineTo(x - HALF, base);
      context.closePath();
    }
    context.lineWidth = 1.3;
    context.strokeStyle = mark.isDenied ? this.palette.warn : colour;
    context.fillStyle = mark.isFilled ? colour : this.palette.panel;
    context.fill();
    context.stroke();
  }
}
