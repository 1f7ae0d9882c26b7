/** The reliability diagram of one champion, with slope, scores and what abstaining was worth. */

import type { ReactNode } from "react";
import { fixed, percent } from "../../format/numbers";
import { l } from "../../strings/learning";
import { Widget } from "../../widgets/Widget";
import type { WidgetState } from "../../widgets/Widget";
import { figure, Range, type SymbolLearning } from "./parts";

const SIZE = 220;
const PAD = 30;

export function CalibrationWidget({ item }: { item: SymbolLearning }) {
  const bins = item.scores?.reliability ?? [];
  const state: WidgetState =
    bins.length === 0
      ? { kind: "empty", title: l("calibration.none"), hint: l("calibration.none_hint") }
      : { kind: "ready" };
  return (
    <Widget title={l("calibration.title", { symbol: item.symbol })} state={state} folds>
      <div className="learning-calibration">
        <Diagram bins={bins} />
        <Facts item={item} />
      </div>
    </Widget>
  );
}

type Bins = NonNullable<SymbolLearning["scores"]>["reliability"];

function Diagram({ bins }: { bins: Bins }) {
  const values = bins.flatMap((bin) => [bin.forecast, bin.observed]);
  const reach = Math.max(0.05, ...values.map((value) => Math.abs(value - 0.5)));
  const at = (value: number) => PAD + ((value - 0.5 + reach) / (2 * reach)) * (SIZE - 2 * PAD);
  const points = bins
    .map((bin) =>
      l("calibration.point", {
        forecast: percent(bin.forecast, 1),
        observed: percent(bin.observed, 1),
      }),
    )
    .join("; ");
  const heaviest = Math.max(...bins.map((bin) => bin.count), 1);
  return (
    <svg
      viewBox={`0 0 ${SIZE} ${SIZE}`}
      role="img"
      aria-label={l("calibration.chart", { points })}
      className="learning-diagram"
    >
      <rect x={PAD} y={PAD} width={SIZE - 2 * PAD} height={SIZE - 2 * PAD} className="frame" />
      <line x1={PAD} y1={SIZE - PAD} x2={SIZE - PAD} y2={PAD} className="ideal" />
      {bins.map((bin) => (
        <circle
          key={bin.forecast}
          cx={at(bin.forecast)}
          cy={SIZE - at(bin.observed)}
          r={2 + 3 * Math.sqrt(bin.count / heaviest)}
        />
      ))}
      <text x={SIZE / 2} y={SIZE - 6} textAnchor="middle">
        {l("calibration.axis_x")}
      </text>
      <text x={12} y={SIZE / 2} textAnchor="middle" transform={`rotate(-90 12 ${SIZE / 2})`}>
        {l("calibration.axis_y")}
      </text>
      <text x={PAD} y={SIZE - PAD + 13}>
        {percent(0.5 - reach, 0)}
      </text>
      <text x={SIZE - PAD} y={SIZE - PAD + 13} textAnchor="end">
        {percent(0.5 + reach, 0)}
      </text>
    </svg>
  );
}

function Facts({ item }: { item: SymbolLearning }) {
  const scores = item.scores;
  const calibration = scores?.calibration;
  const live =
    item.calibration_version === 0
      ? l("calibration.live_none")
      : l("calibration.live_value", {
          version: item.calibration_version,
          slope: fixed(item.calibration_slope, 2),
          intercept: fixed(item.calibration_intercept, 3, true),
        });
  const missed = scores?.abstained_r;
  return (
    <dl className="pairs is-left">
      <Fact name={l("calibration.slope")}>
        <Range of={calibration?.slope} show={figure} />
      </Fact>
      <Fact name={l("calibration.intercept")}>
        <Range of={calibration?.intercept} show={figure} />
      </Fact>
      <Fact name={l("calibration.live")}>{live}</Fact>
      <Fact name={l("calibration.loss")}>
        <Range of={scores?.log_loss} show={figure} />
      </Fact>
      <Fact name={l("calibration.brier")}>
        <Range of={scores?.brier} show={figure} />
      </Fact>
      <Fact name={l("cost")}>{fixed(scores?.cost_r, 3)} R</Fact>
      <Fact name={l("abstained.share")}>{percent(scores?.abstained, 0)}</Fact>
      <Fact name={l("abstained.value")}>
        {missed ? (
          <span title={l("abstained.each", { value: figure(missed.value) })}>
            <Range of={missed} show={figure} /> R
          </span>
        ) : (
          l("abstained.never")
        )}
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
