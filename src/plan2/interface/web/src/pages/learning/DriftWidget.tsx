/** Every detector of one champion, and the signals that are active with what follows from them. */

import { fixed } from "../../format/numbers";
import { words } from "../../strings";
import { l, learningLabel } from "../../strings/learning";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Icon } from "../../widgets/Icon";
import { Widget } from "../../widgets/Widget";
import type { WidgetState } from "../../widgets/Widget";
import type { SymbolLearning } from "./parts";

type Detector = SymbolLearning["detectors"][number];

export function DriftWidget({ item }: { item: SymbolLearning }) {
  const state: WidgetState =
    item.detectors.length === 0
      ? { kind: "empty", title: l("drift.none"), hint: l("drift.none_hint") }
      : { kind: "ready" };
  const active = item.signals.filter((signal) => signal.is_active);
  return (
    <Widget title={l("drift.title", { symbol: item.symbol })} state={state} isFlush folds>
      {active.map((signal) => (
        <p key={signal.signal} className="learning-remark">
          <Icon name="warning" size={14} />{" "}
          {l("drift.active", {
            signal: words(signal.signal).toLowerCase(),
            responses: signal.responses.map(words).join(", "),
          })}
        </p>
      ))}
      <DataTable
        label={l("drift.title", { symbol: item.symbol })}
        columns={columns()}
        items={item.detectors}
        keyOf={(detector) => detector.detector}
      />
    </Widget>
  );
}

const columns = (): Column<Detector>[] => [
  {
    key: "detector",
    title: l("drift.detector"),
    role: "lead",
    cell: (detector) => (
      <span>
        <b>{learningLabel("detector", detector.detector)}</b>{" "}
        {detector.is_second_opinion && <span className="faint">{l("drift.second")}</span>}
      </span>
    ),
  },
  {
    key: "state",
    title: l("drift.state"),
    cell: (detector) => (
      <span className={`row ${detector.is_on ? "warn" : "ok"}`}>
        <Icon name={detector.is_on ? "warning" : "check"} size={14} />{" "}
        {l(detector.is_on ? "drift.alarm" : "drift.quiet")}
      </span>
    ),
    sortBy: (detector) => (detector.is_on ? 0 : 1),
  },
  {
    key: "statistic",
    isSecondary: true,
    title: l("drift.statistic"),
    align: "right",
    cell: (detector) => <span className="num">{fixed(detector.statistic, 2)}</span>,
  },
  {
    key: "limit",
    isSecondary: true,
    title: l("drift.limit"),
    align: "right",
    cell: (detector) => <span className="num">{fixed(detector.limit, 2)}</span>,
  },
  {
    key: "events",
    isSecondary: true,
    title: l("drift.events"),
    align: "right",
    cell: (detector) => detector.events,
  },
  {
    key: "signal",
    isSecondary: true,
    title: l("drift.signal"),
    cell: (detector) => words(detector.signal),
  },
];
