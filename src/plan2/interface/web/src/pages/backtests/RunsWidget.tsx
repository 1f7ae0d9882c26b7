/** The list of finished runs: sorted, filtered, and some of them chosen for comparing. */

import { TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { type Run, useBacktests } from "../../api/backtests";
import { Note } from "../../asking/Note";
import { fixed, money } from "../../format/numbers";
import { b, backtestLabel } from "../../strings/backtests";
import { type Column, DataTable } from "../../widgets/DataTable";
import { DayOf, Gain, Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { figureText, toneOf } from "./figures";

const COMPARED_MAX = 6;
const MEGABYTE = 1_048_576;

type Props = {
  open: (run_id: string) => void;
  compare: (run_ids: string[]) => void;
  actions: ReactNode;
};

/** Whether every word of a filter is in what the list shows of a run. */
export function fits(run: Run, filter: string): boolean {
  const text = `${run.name} ${run.symbol} ${run.verdict} ${run.run_id}`.toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

export function RunsWidget({ open, compare, actions }: Props) {
  const query = useBacktests();
  const [filter, setFilter] = useState("");
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const all = query.data?.items ?? [];
  const shown = all.filter((run) => fits(run, filter));
  const known = chosen.filter((id) => all.some((run) => run.run_id === id));
  const empty =
    all.length > 0
      ? { title: b("list.nothing_fits"), hint: b("list.nothing_fits_hint") }
      : { title: b("list.none"), hint: b("list.none_hint") };
  const state = widgetState(query, { isEmpty: shown.length === 0, ...empty });
  const turn = (id: string) =>
    setChosen(known.includes(id) ? known.filter((one) => one !== id) : [...known, id]);
  const canCompare = known.length >= 2 && known.length <= COMPARED_MAX;
  return (
    <>
      <div className="backtest-tools">
        <TextInput
          size="sm"
          aria-label={b("list.filter")}
          placeholder={b("list.filter")}
          value={filter}
          onChange={(event) => setFilter(event.currentTarget.value)}
          data-testid="backtest-filter"
        />
        <button
          type="button"
          className="ghost-button"
          disabled={!canCompare}
          title={canCompare ? undefined : b("list.compare_hint")}
          onClick={() => compare(known)}
          data-testid="compare-backtests"
        >
          {b("list.compare", { count: known.length })}
        </button>
        <span className="dim">
          {query.data &&
            b("list.size", { count: all.length, size: fixed(query.data.size / MEGABYTE, 1) })}
        </span>
      </div>
      {query.data?.damaged.map(({ run_id, reason }) => (
        <Note key={run_id} tone="warn">
          {b("list.damaged", { id: run_id.slice(0, 12), reason })}
        </Note>
      ))}
      <Widget title={b("list.title")} state={state} isFlush actions={actions}>
        <DataTable
          label={b("list.title")}
          items={shown}
          keyOf={(run) => run.run_id}
          onOpen={(run) => open(run.run_id)}
          columns={[...columns(), choice(known, turn)]}
        />
      </Widget>
    </>
  );
}

const choice = (chosen: readonly string[], turn: (id: string) => void): Column<Run> => ({
  key: "choose",
  title: b("field.choose"),
  cell: (run) => (
    <button
      type="button"
      className="backtest-choice"
      role="checkbox"
      aria-checked={chosen.includes(run.run_id)}
      aria-label={b("list.choose", { name: `${run.name} ${run.run_id.slice(0, 6)}` })}
      onClick={() => turn(run.run_id)}
    >
      {chosen.includes(run.run_id) ? "✓" : ""}
    </button>
  ),
});

const figure = (name: string, unit: string, title: string): Column<Run> => ({
  key: name,
  title,
  align: "right",
  cell: (run) => <span className="num">{figureText(unit, run.headlines[name])}</span>,
  sortBy: (run) => run.headlines[name] ?? -Infinity,
});

const columns = (): Column<Run>[] => [
  {
    key: "flow",
    title: b("field.flow"),
    role: "lead",
    cell: (run) => (
      <>
        <b>{run.name}</b> <span className="mono faint">{run.run_id.slice(0, 6)}</span>
      </>
    ),
    sortBy: (run) => run.name,
  },
  {
    key: "symbol",
    title: b("field.symbol"),
    cell: (run) => run.symbol,
    sortBy: (run) => run.symbol,
  },
  {
    key: "span",
    title: b("field.span"),
    role: "full",
    cell: (run) => (
      <span>
        <DayOf us={run.first_us} /> – <DayOf us={run.last_us} />
      </span>
    ),
    sortBy: (run) => run.first_us,
  },
  {
    key: "trades",
    title: b("field.trades"),
    align: "right",
    cell: (run) => <span className="num">{fixed(run.trades, 0)}</span>,
    sortBy: (run) => run.trades,
  },
  {
    key: "net",
    title: b("field.net"),
    align: "right",
    cell: (run) => (
      <Gain
        value={run.headlines.net_profit}
        text={`${money(run.headlines.net_profit, true)} ${run.currency}`}
      />
    ),
    sortBy: (run) => run.headlines.net_profit ?? -Infinity,
  },
  figure("sharpe", "ratio", b("field.sharpe")),
  figure("max_drawdown", "fraction", b("field.drawdown")),
  {
    key: "verdict",
    title: b("field.verdict"),
    role: "full",
    cell: (run) => (
      <span className={`chip ${toneOf(run.verdict)}`}>{backtestLabel("code", run.verdict)}</span>
    ),
    sortBy: (run) => run.verdict,
  },
  {
    key: "made",
    title: b("field.made"),
    cell: (run) => <Time us={run.made_us} form="short" />,
    sortBy: (run) => run.made_us,
  },
];
