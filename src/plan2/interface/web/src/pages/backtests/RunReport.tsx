/** One finished run: its verdict, then its parts by tab, downloads, and removing it. */

import { Menu } from "@mantine/core";
import { type ComponentType, useState } from "react";
import { Link, useLocation } from "wouter";
import { exportHref, type Report, useReport } from "../../api/backtests";
import { change } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { Note } from "../../asking/Note";
import { useRight } from "../../state/session";
import { b, backtestLabel, type BacktestKey } from "../../strings/backtests";
import { Tile } from "../../widgets/parts";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { CostsTab } from "./CostsTab";
import { DistributionTab } from "./DistributionTab";
import { EquityTab } from "./EquityTab";
import { figureText, intervalText, toneOf } from "./figures";
import { MonthsTab } from "./MonthsTab";
import { OrdersTab } from "./OrdersTab";
import { OriginTab } from "./OriginTab";
import { SummaryTab } from "./SummaryTab";
import { TradesTab } from "./TradesTab";
import { said, spoken } from "../../strings/told";

type Tab = { name: string; title: BacktestKey; show: ComponentType<{ report: Report }> };

const SUMMARY: Tab = { name: "summary", title: "tab.summary", show: SummaryTab };
const TABS: readonly Tab[] = [
  SUMMARY,
  { name: "equity", title: "tab.equity", show: EquityTab },
  { name: "trades", title: "tab.trades", show: TradesTab },
  { name: "months", title: "tab.monthly", show: MonthsTab },
  { name: "distribution", title: "tab.distribution", show: DistributionTab },
  { name: "costs", title: "tab.costs", show: CostsTab },
  { name: "orders", title: "tab.orders", show: OrdersTab },
  { name: "parameters", title: "tab.origin", show: OriginTab },
];
const HEADLINES = [
  "net_profit",
  "total_return",
  "max_drawdown",
  "sharpe",
  "profit_factor",
  "trades",
];
const TABLES = ["trades", "orders", "equity"] as const;

export function RunReport({ id, tab }: { id: string; tab: string }) {
  const query = useReport(id);
  const report = query.data;
  const current = TABS.find(({ name }) => name === tab) ?? SUMMARY;
  if (!report)
    return (
      <Widget title={id.slice(0, 12)} state={widgetState(query)}>
        {null}
      </Widget>
    );
  const Show = current.show;
  return (
    <>
      <Head report={report} />
      <nav className="tabs backtest-tabs" aria-label={b("tabs.name")}>
        {TABS.map(({ name, title }) => (
          <Link
            key={name}
            href={`/backtests/${id}/${name}`}
            aria-current={name === current.name ? "page" : undefined}
          >
            {b(title)}
          </Link>
        ))}
      </nav>
      <Show report={report} />
    </>
  );
}

function Head({ report }: { report: Report }) {
  const { run, evidence } = report;
  const [isLeaving, setLeaving] = useState(false);
  const [, navigate] = useLocation();
  const isManager = useRight("manager");
  return (
    <Widget
      title={`${run.name} · ${run.symbol}`}
      actions={
        <>
          <Link href="/backtests" className="ghost-button">
            {b("run.back")}
          </Link>
          <a
            className="ghost-button"
            href={`/api/v1/backtests/${run.run_id}/report`}
            target="_blank"
            rel="noopener noreferrer"
          >
            {b("run.report")}
          </a>
          <Downloads id={run.run_id} />
          {isManager && (
            <button type="button" className="ghost-button" onClick={() => setLeaving(true)}>
              {b("run.remove")}
            </button>
          )}
        </>
      }
    >
      <div className="stack">
        <p className="backtest-verdict" data-testid="backtest-verdict">
          <span className={`chip ${toneOf(evidence.verdict)}`}>
            {backtestLabel("code", evidence.verdict)}
          </span>{" "}
          <span {...spoken(evidence.sentence)} />
        </p>
        {evidence.flags.map((flag) => (
          <Note key={flag} tone="warn">
            <span {...spoken(flag)} />
          </Note>
        ))}
        <div className="backtest-tiles">
          {HEADLINES.map((name) => (
            <Headline key={name} report={report} name={name} />
          ))}
        </div>
      </div>
      {isLeaving && (
        <AskDialog
          title={b("run.remove")}
          close={() => setLeaving(false)}
          isRed
          explain={<p>{b("run.remove_explain")}</p>}
          confirm={b("run.remove")}
          done={b("run.removed")}
          run={async (key) => {
            const { run_id } = run;
            await change("delete", "/api/v1/backtests/{run_id}", { path: { run_id } }, key);
            navigate("/backtests");
          }}
        />
      )}
    </Widget>
  );
}

function Headline({ report, name }: { report: Report; name: string }) {
  const metric = report.metrics.find(({ definition }) => definition.name === name);
  if (!metric) return null;
  const { definition, figure } = metric;
  return (
    <Tile
      name={said(definition.label)}
      value={<span className="num">{figureText(definition.unit, figure.value)}</span>}
      foot={said(figure.reason) || intervalText(metric)}
      testId={`headline-${name}`}
    />
  );
}

function Downloads({ id }: { id: string }) {
  const item = (format: string, what: (typeof TABLES)[number], text: string) => (
    <Menu.Item key={`${format}${what}`} component="a" href={exportHref(id, format, what)} download>
      {text}
    </Menu.Item>
  );
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <button type="button" className="ghost-button" data-testid="backtest-downloads">
          {b("run.export")}
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {item("json", "trades", b("run.json"))}
        {TABLES.map((what) => item("csv", what, b("run.csv", { what: b(`tab.${what}`) })))}
        {TABLES.map((what) => item("parquet", what, b("run.parquet", { what: b(`tab.${what}`) })))}
      </Menu.Dropdown>
    </Menu>
  );
}
