/** The events with their filters, and the one that is open beside them. */

import { useSearchParams } from "wouter";
import { useAudit } from "../../api/admin";
import type { Item } from "../../api/typed";
import { Person } from "../../asking/Person";
import { t } from "../../strings";
import { a } from "../../strings/admin";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Time } from "../../widgets/Figures";
import { Icon } from "../../widgets/Icon";
import { flat, LoadMore } from "../../widgets/parts";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { AuditDetail } from "./AuditDetail";
import { AuditFilters } from "./AuditFilters";
import { FILTER_NAMES, filterOf, withPart } from "./filter";

type Event = Item<"/api/v1/audit">;

export function AuditEvents() {
  const [given, setGiven] = useSearchParams();
  const query = useAudit(filterOf(given));
  const events = flat(query.data);
  const open = Number(given.get("event") ?? 0);
  const isFiltered = FILTER_NAMES.some((name) => given.has(name));
  const state = widgetState(query, {
    isEmpty: events.length === 0,
    title: a(isFiltered ? "audit.none_match" : "audit.none"),
    hint: a(isFiltered ? "audit.none_match_hint" : "audit.none_hint"),
  });
  const choose = (position: number | "") =>
    setGiven((old) => withPart(old, "event", String(position)), { replace: true });
  const csv = () => [
    ["position", "at_us", "type", "stream_id", "actor", "correlation_id", "hash", "payload"],
    ...events.map((event) => [
      event.position,
      event.at_us,
      event.type,
      event.stream_id,
      event.actor,
      event.correlation_id,
      event.hash,
      JSON.stringify(event.payload),
    ]),
  ];
  return (
    <div className={`audit ${open > 0 ? "has-detail" : ""}`}>
      <Widget
        title={a("audit.trail")}
        isFlush
        csv={csv}
        className="audit-list"
        state={{ kind: "ready" }}
        actions={
          <button
            type="button"
            className="icon-button"
            aria-label={a("audit.refresh")}
            title={a("audit.refresh")}
            onClick={() => void query.refetch()}
          >
            <Icon name="retry" size={16} />
          </button>
        }
      >
        <AuditFilters given={given} change={setGiven} />
        <Widget title={a("audit.found")} state={state} isFlush className="is-bare">
          <DataTable
            label={a("audit.trail")}
            items={events}
            keyOf={(event) => String(event.position)}
            selected={String(open)}
            onOpen={(event) => choose(event.position)}
            columns={columns()}
          />
          <LoadMore query={query} />
        </Widget>
      </Widget>
      {open > 0 && <AuditDetail position={open} close={() => choose("")} />}
    </div>
  );
}

const columns = (): Column<Event>[] => [
  {
    key: "type",
    title: t("events.type"),
    role: "lead",
    cell: (event) => (
      <span className="row">
        {event.type}
        {event.has_personal && <Icon name="lock" size={12} />}
      </span>
    ),
  },
  {
    key: "position",
    title: a("audit.position"),
    cell: (event) => <span className="num faint">#{event.position}</span>,
  },
  { key: "time", title: t("field.time"), cell: (event) => <Time us={event.at_us} form="short" /> },
  { key: "actor", title: a("audit.actor"), cell: (event) => <Person id={event.actor} /> },
  {
    key: "stream",
    title: a("audit.stream"),
    cell: (event) => (
      <span className="ellipsis stream" title={event.stream_id}>
        {event.stream_id}
      </span>
    ),
  },
];
