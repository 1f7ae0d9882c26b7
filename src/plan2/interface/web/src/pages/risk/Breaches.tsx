/** Every limit that was reached, newest first; read from the event log. */

import { useEvents } from "../../api/queries";
import { percent } from "../../format/numbers";
import type { EventItem } from "../../gen/protocol";
import { t } from "../../strings";
import { r } from "../../strings/risk";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Time } from "../../widgets/Figures";
import { flat, LoadMore } from "../../widgets/parts";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { nameOf } from "./limitWords";

export function Breaches() {
  const query = useEvents("RiskLimitBreached", 50);
  const items = flat(query.data);
  const state = widgetState(query, {
    isEmpty: items.length === 0,
    title: r("breaches.none"),
    hint: r("breaches.none_hint"),
  });
  return (
    <Widget title={r("breaches.title")} state={state} isFlush>
      <DataTable
        label={r("breaches.title")}
        items={items}
        keyOf={(event) => String(event.position)}
        columns={columns()}
      />
      <LoadMore query={query} />
    </Widget>
  );
}

const columns = (): Column<EventItem>[] => [
  {
    key: "rule",
    title: r("breaches.rule"),
    role: "lead",
    cell: ({ payload }) => nameOf(String(payload.rule_id)),
  },
  {
    key: "time",
    title: t("field.time"),
    cell: (event) => <Time us={event.at_us} form="short" />,
    sortBy: (event) => event.at_us,
  },
  {
    key: "value",
    title: r("breaches.value"),
    align: "right",
    cell: ({ payload }) => <span className="num">{percent(Number(payload.current_value))}</span>,
  },
  {
    key: "threshold",
    title: r("breaches.threshold"),
    align: "right",
    cell: ({ payload }) => <span className="num">{percent(Number(payload.threshold))}</span>,
  },
  {
    key: "action",
    title: r("breaches.action"),
    cell: ({ payload }) =>
      payload.action === "halt" ? r("breaches.halted") : String(payload.action),
  },
];
