/** Flows: what trades, how far each version has come, and what it earned. */

import { useState } from "react";
import { useLocation } from "wouter";
import { type FlowItem, useFlows } from "../../api/flows";
import { money } from "../../format/numbers";
import { useRight } from "../../state/session";
import { t } from "../../strings";
import { flowLabel, w } from "../../strings/flows";
import "../../styles/flows.css";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { usePageTitle } from "../usePageTitle";
import { DaysWidget } from "./DaysWidget";
import { FlowDetail } from "./FlowDetail";
import { RegisterDialog } from "./RegisterDialog";
import { spoken } from "../../strings/told";

const TONES: Record<string, string> = {
  backtested: "is-accent",
  paper: "is-violet",
  live: "is-ok",
  paused: "is-crit",
};

export function StateChip({ state }: { state: string }) {
  return <span className={`chip ${TONES[state] ?? ""}`}>{flowLabel("state", state)}</span>;
}

const isSeated = (flow: FlowItem): boolean => flow.realised !== null;

/** Of each flow the version that trades, and the newest one. */
export const shownOf = (flows: readonly FlowItem[]): FlowItem[] =>
  flows.filter((flow) => isSeated(flow) || flow.version === flow.newest);

export function FlowsPage({ name }: { name: string }) {
  usePageTitle(t("page.flows"));
  const query = useFlows();
  const [, go] = useLocation();
  const [isRegistering, setRegistering] = useState(false);
  const mayMove = useRight("manager");
  const items = shownOf(query.data ?? []);
  const chosen = items.find((flow) => flow.name === name) ?? items[0];
  const state = widgetState(query, {
    isEmpty: items.length === 0,
    title: w("none"),
    hint: w("none_hint"),
  });
  return (
    <div className="page-flows" data-testid="page-flows">
      <h1 className="sr-only">{t("page.flows")}</h1>
      <Widget
        title={w("title")}
        state={state}
        isFlush
        actions={
          mayMove && (
            <button
              type="button"
              className="ghost-button"
              onClick={() => setRegistering(true)}
              data-testid="flow-register"
            >
              {w("act.register")}
            </button>
          )
        }
      >
        <DataTable
          label={w("title")}
          columns={columns()}
          items={items}
          keyOf={keyOf}
          onOpen={(flow) => go(`/flows/${encodeURIComponent(flow.name)}`)}
          selected={chosen ? keyOf(chosen) : ""}
        />
      </Widget>
      {chosen && <FlowDetail key={chosen.name} name={chosen.name} />}
      {chosen && <DaysWidget name={chosen.name} />}
      {isRegistering && <RegisterDialog close={() => setRegistering(false)} />}
    </div>
  );
}

const keyOf = (flow: FlowItem): string => `${flow.name} ${flow.version}`;

const columns = (): Column<FlowItem>[] => [
  {
    key: "flow",
    title: w("field.flow"),
    role: "lead",
    cell: (flow) => (
      <span className="mono" title={flow.description}>
        {flow.name}
      </span>
    ),
    sortBy: (flow) => flow.name,
  },
  {
    key: "version",
    title: w("field.version"),
    align: "right",
    cell: (flow) => <span className="num">{flow.version}</span>,
  },
  {
    key: "state",
    title: w("field.state"),
    cell: (flow) => <StateChip state={flow.state} />,
    sortBy: (flow) => flow.state,
  },
  { key: "symbol", title: w("field.symbol"), cell: (flow) => flow.symbol },
  { key: "account", title: w("field.account"), cell: (flow) => flow.account_id || "–" },
  {
    key: "realised",
    title: w("field.result"),
    align: "right",
    cell: (flow) => <span className="num">{money(flow.realised)}</span>,
    sortBy: (flow) => Number(flow.realised ?? 0),
  },
  {
    key: "floating",
    title: w("field.open"),
    align: "right",
    cell: (flow) => <span className="num">{money(flow.floating)}</span>,
    sortBy: (flow) => Number(flow.floating ?? 0),
  },
  {
    key: "trades",
    title: w("field.trades"),
    align: "right",
    cell: (flow) => <span className="num">{flow.trades ?? "–"}</span>,
  },
  {
    key: "last",
    title: w("field.last"),
    role: "wide",
    cell: (flow) => <span className="dim" {...spoken(flow.sentence || "–")} />,
  },
];
