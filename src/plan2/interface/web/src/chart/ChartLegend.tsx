/** The values under the crosshair, or of the last bar. */

import { type MouseEventParams, type Time } from "lightweight-charts";
import { useEffect, useState } from "react";
import { DASH, fixed, percent, price } from "../format/numbers";
import { full } from "../format/times";
import type { Bars, Indicators } from "../gen/protocol";
import { useZone } from "../state/preferences";
import { t } from "../strings";
import { Gain } from "../widgets/Figures";
import type { PriceChart } from "./PriceChart";
import { seconds } from "./series";

type Props = {
  chart: PriceChart;
  bars: Bars;
  indicators: Indicators | undefined;
  digits: number;
  cursor: number | null;
  /** How many decisions lie in the bar of the cursor. */
  decisions: number;
  hidden: ReadonlySet<string>;
};

/** Index of the bar under the pointer, or null. */
function useHovered(chart: PriceChart, bars: Bars): number | null {
  const [time, setTime] = useState<number | null>(null);
  useEffect(() => {
    const moved = (event: MouseEventParams<Time>) =>
      setTime(event.time === undefined ? null : Number(event.time));
    chart.chart.subscribeCrosshairMove(moved);
    return () => chart.chart.unsubscribeCrosshairMove(moved);
  }, [chart]);
  if (time === null) return null;
  const index = bars.time_us.findIndex((us) => Number(seconds(us)) === time);
  return index < 0 ? null : index;
}

export function ChartLegend(props: Props) {
  const { chart, bars, indicators, digits, cursor, decisions, hidden } = props;
  const hovered = useHovered(chart, bars);
  const zone = useZone();
  const index = hovered ?? cursor ?? bars.time_us.length - 1;
  const us = bars.time_us[index];
  if (us === undefined) return null;
  const open = bars.open[index] ?? 0;
  const close = bars.close[index] ?? 0;
  const at = indicators?.time_us.indexOf(us) ?? -1;
  const value = (name: string, decimals: number) => {
    const found = at < 0 ? null : indicators?.values[name]?.[at];
    return found === null || found === undefined
      ? DASH
      : decimals === digits
        ? price(found, digits)
        : fixed(found, decimals);
  };
  return (
    <div className="chart-legend" aria-live={cursor === null ? "off" : "polite"}>
      <b>{bars.symbol}</b>
      <span className="dim">{full(us, zone)}</span>
      <span>
        O <b>{price(open, digits)}</b>
      </span>
      <span>
        H <b>{price(bars.high[index], digits)}</b>
      </span>
      <span>
        L <b>{price(bars.low[index], digits)}</b>
      </span>
      <span>
        C <b>{price(close, digits)}</b>
      </span>
      <Gain value={close - open} text={percent(open ? close / open - 1 : null, 3, true)} />
      {!hidden.has("ema_20") && (
        <span className="is-ema">
          EMA 20 <b>{value("ema_20", digits)}</b>
        </span>
      )}
      {!hidden.has("bb_upper_20_2") && (
        <span className="is-bands">
          BB 20 2{" "}
          <b>
            {value("bb_lower_20_2", digits)} … {value("bb_upper_20_2", digits)}
          </b>
        </span>
      )}
      {!hidden.has("rsi_14") && (
        <span className="is-rsi">
          RSI 14 <b>{value("rsi_14", 1)}</b>
        </span>
      )}
      {decisions > 0 && <span>{t("chart.enter", { count: decisions })}</span>}
    </div>
  );
}
