/**
 * Options that all our charts share; the library knows no time zones, so we format the axis.
 *
 * They are applied again when the theme changes, so nothing here may move the visible range.
 */

import {
  type ChartOptions,
  ColorType,
  CrosshairMode,
  type DeepPartial,
  LineStyle,
  TickMarkType,
  type Time,
} from "lightweight-charts";
import { clock, day, dayMonth, full, shortClock, type Zone } from "../format/times";
import type { ChartPalette } from "./palette";

const toUs = (time: Time): number => Number(time) * 1_000_000;

function tickMark(time: Time, type: TickMarkType, zone: Zone): string {
  const us = toUs(time);
  if (type === TickMarkType.Year) return day(us, zone).slice(0, 4);
  if (type === TickMarkType.Month || type === TickMarkType.DayOfMonth) return dayMonth(us, zone);
  return type === TickMarkType.Time ? shortClock(us, zone) : clock(us, zone);
}

export function chartOptions(palette: ChartPalette, zone: Zone): DeepPartial<ChartOptions> {
  return {
    autoSize: true,
    layout: {
      background: { type: ColorType.Solid, color: palette.panel },
      textColor: palette.dim,
      fontSize: 11,
      fontFamily: palette.font,
      attributionLogo: true,
      panes: { separatorColor: palette.line, separatorHoverColor: palette["line-strong"] },
    },
    grid: {
      vertLines: { color: palette.line, style: LineStyle.Solid },
      horzLines: { color: palette.line },
    },
    crosshair: {
      mode: CrosshairMode.Normal,
      vertLine: { color: palette.dim, labelBackgroundColor: palette["line-strong"] },
      horzLine: { color: palette.dim, labelBackgroundColor: palette["line-strong"] },
    },
    rightPriceScale: { borderColor: palette.line },
    timeScale: {
      borderColor: palette.line,
      timeVisible: true,
      secondsVisible: false,
      tickMarkFormatter: (time: Time, type: TickMarkType) => tickMark(time, type, zone),
    },
    localization: { timeFormatter: (time: Time) => full(toUs(time), zone) },
  };
}
