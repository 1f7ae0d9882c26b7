/** The trades by page, sorted on the server, and the chosen one on the price chart. */

import { lazy, Suspense, useState } from "react";
import { type Report, type Trade, useRunBars, useTrades } from "../../api/backtests";
import { fixed, lots, money, price } from "../../format/numbers";
import { b, backtestLabel } from "../../strings/backtests";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Gain, SideTag, Time } from "../../widgets/Figures";
import { Segments } from "../../widgets/parts";
import { Loading, Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { periodSeconds } from "./figures";
import { PAGE, Pager } from "./Pager";

const TradeChart = lazy(() => import("../../chart/TradeChart"));

const SECOND_US = 1_000_000;
/** Bars shown before a trade and after it, and the most in all. */
const MARGIN = 60;
const BARS_MAX = 2_000;
const PERIODS_S = [1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400];

type Side = "all" | "long" | "short";
type Sort = "trade" | "net" | "mae" | "mfe";

export function TradesTab({ report }: { report: Report }) {
  const { run } = report;
  const [side, setSide] = useState<Side>("all");
  const [sort, setSort] = useState<Sort>("trade");
  const [offset, setOffset] = useState(0);
  const [chosen, setChosen] = useState<Trade | null>(null);
  const query = useTrades(run.run_id, {
    offset,
    limit: PAGE,
    sort,
    descending: sort === "mfe",
    ...(side === "all" ? {} : { side }),
  });
  const shown = chosen ?? query.data?.items[0] ?? null;
  const state = widgetState(query, {
    isEmpty: query.data?.total === 0,
    title: b("trades.none"),
    hint: b("trades.none_hint"),
  });
  const turn =
    <Value,>(set: (value: Value) => void) =>
    (value: Value) => {
      set(value);
      setOffset(0);
      setChosen(null);
    };
  return (
    <>
      {shown && <OnPrice key={shown.trade} report={report} trade={shown} />}
      <div className="backtest-tools">
        <Segments<Side>
          label={b("trades.sides")}
          value={side}
          onChange={turn(setSide)}
          options={(["all", "long", "short"] as const).map((value) => ({
            value,
            text: b(`trades.${value}`),
          }))}
        />
        <Segments<Sort>
          label={b("trades.title")}
          value={sort}
          onChange={turn(setSort)}
          options={[
            { value: "trade", text: b("trade.number") },
            { value: "net", text: b("field.net") },
            { value: "mae", text: b("trade.mae") },
            { value: "mfe", text: b("trade.mfe") },
          ]}
        />
        <span className="dim" role="status">
          {query.data &&
            b("trades.total", {
              total: fixed(query.data.total, 0),
              net: `${money(query.data.net, true)} ${run.currency}`,
            })}
        </span>
      </div>
      <Widget title={b("trades.title")} state={state} isFlush>
        <DataTable
          label={b("trades.title")}
          columns={columnsOf(digitsOf(query.data?.items ?? []))}
          items={query.data?.items ?? []}
          keyOf={({ trade }) => String(trade)}
          selected={shown ? String(shown.trade) : ""}
          onOpen={setChosen}
        />
        <Pager offset={offset} total={query.data?.total ?? 0} turn={setOffset} />
      </Widget>
    </>
  );
}

/** The length of bars that fits a trade: the flow's own, or a longer one for long trades. */
export function chartPeriod(period_s: number, trade: Pick<Trade, "open_us" | "close_us">): number {
  const held_s = (trade.close_us - trade.open_us) / SECOND_US;
  const fitting = PERIODS_S.find(
    (length) => length >= period_s && held_s / length + 2 * MARGIN <= BARS_MAX,
  );
  return fitting ?? 86_400;
}

function OnPrice({ report, trade }: { report: Report; trade: Trade }) {
  const period_s = chartPeriod(periodSeconds(report.run.period), trade);
  const margin_us = MARGIN * period_s * SECOND_US;
  const from_us = trade.open_us - margin_us;
  const to_us = trade.close_us + margin_us;
  const bars = useRunBars(report.run.run_id, from_us, to_us, period_s);
  const beside = useTrades(report.run.run_id, { from_us, to_us, limit: 500 });
  const state = widgetState(bars, {
    isEmpty: bars.data?.time_us.length === 0,
    title: b("trades.no_bars"),
    hint: b("trades.no_bars_hint"),
  });
  return (
    <Widget
      title={b("trades.chart", { trade: trade.trade })}
      state={state}
      isFlush
      className="backtest-chart"
    >
      <Suspense fallback={<Loading />}>
        {bars.data && (
          <TradeChart
            bars={bars.data}
            trades={beside.data?.items ?? [trade]}
            chosen={trade.trade}
            name={b("trades.chart_summary", { count: bars.data.time_us.length })}
          />
        )}
      </Suspense>
    </Widget>
  );
}

const costOf = (trade: Trade): number =>
  trade.commission + trade.swap + trade.spread_cost + trade.slippage_cost;

/** As many decimals as the longest price of the page has. */
const digitsOf = (trades: readonly Trade[]): number =>
  Math.max(
    2,
    ...trades.flatMap(({ open_price, close_price }) =>
      [open_price, close_price].map((value) => (String(value).split(".")[1] ?? "").length),
    ),
  );

const columnsOf = (digits: number): Column<Trade>[] => [
  {
    key: "trade",
    title: b("trade.number"),
    role: "lead",
    cell: ({ trade }) => <span className="num">{trade}</span>,
  },
  {
    key: "side",
    title: b("trade.side"),
    cell: ({ side }) => <SideTag side={side} words="position" />,
  },
  {
    key: "lots",
    title: b("trade.lots"),
    align: "right",
    cell: (trade) => <span className="num">{lots(trade.lots)}</span>,
  },
  {
    key: "opened",
    title: b("trade.opened"),
    cell: ({ open_us }) => <Time us={open_us} form="full" />,
  },
  {
    key: "entry",
    title: b("trade.entry"),
    align: "right",
    cell: ({ open_price }) => <span className="num">{price(open_price, digits)}</span>,
  },
  {
    key: "closed",
    title: b("trade.closed"),
    cell: ({ close_us }) => <Time us={close_us} form="full" />,
  },
  {
    key: "exit",
    title: b("trade.exit"),
    align: "right",
    cell: ({ close_price }) => <span className="num">{price(close_price, digits)}</span>,
  },
  {
    key: "reason",
    title: b("trade.reason"),
    cell: ({ exit_reason }) => backtestLabel("code", exit_reason),
  },
  {
    key: "cost",
    title: b("trade.cost"),
    align: "right",
    cell: (trade) => <span className="num">{money(costOf(trade))}</span>,
  },
  {
    key: "mae",
    title: b("trade.mae"),
    align: "right",
    cell: ({ mae }) => <span className="num">{money(mae)}</span>,
  },
  {
    key: "mfe",
    title: b("trade.mfe"),
    align: "right",
    cell: ({ mfe }) => <span className="num">{money(mfe)}</span>,
  },
  { key: "net", title: b("field.net"), align: "right", cell: ({ net }) => <Gain value={net} /> },
];
