/** The end of the audit trail: newest events, and whether their positions are without a gap. */

import { Select } from "@mantine/core";
import { useState } from "react";
import { useLiveHealth } from "../../api/live";
import { useNameOf } from "../../api/people";
import { useEvents } from "../../api/queries";
import type { EventItem } from "../../gen/protocol";
import { useLog } from "../../stream/react";
import { t } from "../../strings";
import { Hash, Time } from "../../widgets/Figures";
import { JsonTree } from "../../widgets/JsonTree";
import { flat, LoadMore } from "../../widgets/parts";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { EVENT_TYPES } from "./eventTypes";
import { spoken } from "../../strings/told";

/** Streamed events before the fetched ones, each position once, newest first. */
function joined(
  live: readonly EventItem[],
  fetched: readonly EventItem[],
  type: string,
): EventItem[] {
  const newest = fetched[0]?.position ?? 0;
  return [
    ...live.filter((event) => event.position > newest && (type === "" || event.type === type)),
    ...fetched,
  ];
}

export function EventTail() {
  const [type, setType] = useState("");
  const query = useEvents(type);
  const live = useLog<EventItem>("events");
  const events = joined(live, flat(query.data), type);
  const state = widgetState(query, {
    isEmpty: events.length === 0,
    title: t("events.none"),
    hint: t("events.none_hint"),
  });
  const filter = (
    <Select
      aria-label={t("events.type")}
      placeholder={t("events.all_types")}
      data={EVENT_TYPES}
      value={type || null}
      onChange={(value) => setType(value ?? "")}
      clearable
      searchable
      w={190}
    />
  );
  const csv = () => [
    ["position", "at_us", "type", "stream_id", "actor", "correlation_id", "payload"],
    ...events.map((e) => [
      e.position,
      e.at_us,
      e.type,
      e.stream_id,
      e.actor,
      e.correlation_id,
      JSON.stringify(e.payload),
    ]),
  ];
  return (
    <Widget
      title={t("events.title")}
      state={state}
      isFlush
      className="area-events"
      actions={filter}
      csv={csv}
    >
      <ChainLine events={events} isFiltered={type !== ""} />
      <ul className="events">
        {events.map((event) => (
          <EventRow key={event.position} event={event} />
        ))}
      </ul>
      <LoadMore query={query} />
    </Widget>
  );
}

/** Positions follow each other without a hole, or the first hole. */
function ChainLine({ events, isFiltered }: { events: readonly EventItem[]; isFiltered: boolean }) {
  const health = useLiveHealth();
  const store = health?.components.find((component) => /event|audit|chain/.test(component.name));
  const hole = isFiltered
    ? -1
    : events.findIndex((event, i) => i > 0 && events[i - 1]?.position !== event.position + 1);
  const first = events.at(-1)?.position;
  const last = events[0]?.position;
  return (
    <p className="chain">
      {!isFiltered &&
        last !== undefined &&
        (hole < 0 ? (
          <span className="chip is-ok">✓ {t("events.gap_free", { first: first ?? 0, last })}</span>
        ) : (
          <span className="chip is-crit">
            ✕ {t("events.gap", { at: events[hole]?.position ?? 0 })}
          </span>
        ))}
      {store && <span className="dim" {...spoken(store.detail)} />}
    </p>
  );
}

function EventRow({ event }: { event: EventItem }) {
  const nameOf = useNameOf();
  return (
    <li>
      <details>
        <summary className="event">
          <span className="num faint">#{event.position}</span>
          <Time us={event.at_us} />
          <b className="ellipsis" title={event.type}>
            {event.type}
          </b>
          <span className="dim ellipsis" title={event.stream_id}>
            {event.stream_id}
          </span>
          <span className="dim ellipsis" title={event.actor}>
            {nameOf(event.actor)}
          </span>
          <Hash value={event.correlation_id} length={8} />
        </summary>
        <div className="event-payload">
          <JsonTree value={event.payload} />
        </div>
      </details>
    </li>
  );
}
