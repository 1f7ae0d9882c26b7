/** What waits to be acknowledged, and everything that was raised before. */

import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { type AlertItem, useAlerts } from "../../api/alerts";
import { change } from "../../api/typed";
import { useAsking } from "../../asking/useAsking";
import { Refusal } from "../../asking/Refusal";
import { useAnnouncer } from "../../state/announcer";
import { al, alertLabel } from "../../strings/alerts";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { Severity } from "./Severity";
import { spoken } from "../../strings/told";

const SNOOZE_MINUTES = 30;
type Deed = { kind: "acknowledge" | "snooze"; id: string };

export function HistoryWidget() {
  const [shown, setShown] = useState<"" | "open">("open");
  const query = useAlerts(shown);
  const items = query.data?.pages.flatMap((page) => page.items) ?? [];
  const announce = useAnnouncer((announcer) => announcer.announce);
  const asking = useAsking<AlertItem, Deed>(
    (key, { kind, id }) =>
      kind === "acknowledge"
        ? change("post", "/api/v1/alerts/{alert_id}/acknowledge", { path: { alert_id: id } }, key)
        : change(
            "post",
            "/api/v1/alerts/{alert_id}/snooze",
            { path: { alert_id: id }, body: { minutes: SNOOZE_MINUTES } },
            key,
          ),
    (told) => {
      const said = al(told.state === "acknowledged" ? "history.acked" : "history.snoozed");
      notifications.show({ message: said, autoClose: 4_000, color: "sky" });
      announce(said);
    },
  );
  const state = widgetState(query, {
    isEmpty: items.length === 0,
    title: al("history.none"),
    hint: al("history.none_hint"),
  });
  return (
    <Widget
      title={al("history.title")}
      state={state}
      isFlush
      actions={
        <span className="segments">
          {(["open", ""] as const).map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={shown === one}
              onClick={() => setShown(one)}
            >
              {al(one === "open" ? "history.waiting" : "history.all")}
            </button>
          ))}
        </span>
      }
    >
      <Refusal state={asking.state} />
      <DataTable
        label={al("history.title")}
        items={items}
        keyOf={(alert) => alert.alert_id}
        columns={columns((kind, id) => asking.send({ kind, id }))}
      />
      {query.hasNextPage && (
        <button type="button" className="ghost-button" onClick={() => void query.fetchNextPage()}>
          {al("history.more")}
        </button>
      )}
    </Widget>
  );
}

function columns(act: (kind: Deed["kind"], id: string) => void): Column<AlertItem>[] {
  return [
    {
      key: "title",
      title: al("history.alert"),
      role: "lead",
      cell: (alert) => <span {...spoken(alert.title)} />,
      sortBy: (alert) => alert.title,
    },
    {
      key: "raised",
      title: al("history.raised"),
      role: "full",
      cell: (alert) => <Time us={alert.raised_us} form="short" />,
      sortBy: (alert) => alert.raised_us,
    },
    {
      key: "severity",
      title: al("rule.severity"),
      cell: (alert) => <Severity value={alert.severity} />,
      sortBy: (alert) => alert.severity,
    },
    {
      key: "state",
      title: al("history.state"),
      cell: (alert) => alertLabel("state", alert.state),
      sortBy: (alert) => alert.state,
    },
    {
      key: "words",
      title: al("history.what"),
      role: "wide",
      cell: (alert) => (
        <span className="dim alert-words">
          <span {...spoken(alert.words)} />
          {alert.note && ` · ${alert.note}`}
        </span>
      ),
    },
    {
      key: "actions",
      title: "",
      role: "wide",
      cell: (alert) =>
        alert.state === "open" || alert.state === "snoozed" ? (
          <span className="row-actions">
            <button
              type="button"
              className="ghost-button"
              data-testid="alert-ack"
              onClick={() => act("acknowledge", alert.alert_id)}
            >
              {al("history.ack")}
            </button>
            {alert.state === "open" && (
              <button
                type="button"
                className="ghost-button"
                data-testid="alert-snooze"
                onClick={() => act("snooze", alert.alert_id)}
              >
                {al("history.snooze")}
              </button>
            )}
          </span>
        ) : null,
    },
  ];
}
