/** Days of live trading beside their replay, and why trades differ. */

import { type DayItem, useComparisons } from "../../api/flows";
import { money } from "../../format/numbers";
import { flowLabel, w } from "../../strings/flows";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { said } from "../../strings/told";

export function DaysWidget({ name }: { name: string }) {
  const query = useComparisons(name);
  const items = query.data ?? [];
  const state = widgetState(query, {
    isEmpty: items.length === 0,
    title: w("days.none"),
    hint: w("days.none_hint"),
  });
  return (
    <Widget title={w("days.title")} state={state} isFlush>
      <DataTable
        label={w("days.title")}
        columns={columns()}
        items={items}
        keyOf={(day) => `${day.day} ${day.version}`}
      />
    </Widget>
  );
}

/** Causes with how often each was one, the most frequent first. */
export const causesOf = (causes: DayItem["causes"]): string =>
  Object.entries(causes)
    .toSorted(([, a], [, b]) => b - a)
    .map(([cause, count]) => `${flowLabel("cause", cause)} ${count}`)
    .join(", ");

const columns = (): Column<DayItem>[] => [
  { key: "day", title: w("days.day"), role: "lead", cell: (day) => day.day },
  {
    key: "live",
    title: w("days.live"),
    align: "right",
    cell: (day) => <span className="num">{money(day.live_net)}</span>,
  },
  {
    key: "replay",
    title: w("days.replay"),
    align: "right",
    cell: (day) => <span className="num">{money(day.replay_net)}</span>,
  },
  {
    key: "trades",
    title: w("days.trades"),
    cell: (day) =>
      w("days.of", { live: day.live_trades, replay: day.replay_trades, paired: day.paired }),
  },
  {
    key: "causes",
    title: w("days.causes"),
    role: "wide",
    cell: (day) => (
      <span className="dim" title={day.differences.map((one) => said(one.detail)).join("\n")}>
        {causesOf(day.causes) || w("days.same")}
      </span>
    ),
  },
];
