/** Returns by calendar month, and trades by what they have in common. */

import type { Report } from "../../api/backtests";
import { fixed, percent } from "../../format/numbers";
import { b, backtestLabel, type BacktestKey } from "../../strings/backtests";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Gain } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";

type Group = Report["groups"][string][number];
const MONTHS = Array.from({ length: 12 }, (_, i) => i + 1);
const GROUPS = ["side", "exit_reason", "weekday", "hour", "month"] as const;

const monthName = (month: number): string =>
  new Intl.DateTimeFormat(document.documentElement.lang || "en", {
    month: "short",
    timeZone: "UTC",
  }).format(Date.UTC(2024, month - 1));

export function MonthsTab({ report }: { report: Report }) {
  const years = [...new Set(report.months.map(({ year }) => year))];
  return (
    <>
      <Widget title={b("monthly.title")} isFlush>
        {years.length === 0 ? (
          <p className="w-state">{b("monthly.none")}</p>
        ) : (
          <div className="table-region" role="region" aria-label={b("monthly.title")} tabIndex={0}>
            <table className="tbl backtest-months">
              <thead>
                <tr>
                  <th scope="col">{b("monthly.year")}</th>
                  {MONTHS.map((month) => (
                    <th key={month} scope="col" className="is-right">
                      {monthName(month)}
                    </th>
                  ))}
                  <th scope="col" className="is-right">
                    Σ
                  </th>
                </tr>
              </thead>
              <tbody>
                {years.map((year) => (
                  <Year key={year} year={year} months={report.months} />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Widget>
      <div className="backtest-pair">
        {GROUPS.filter((name) => (report.groups[name]?.length ?? 0) > 0).map((name) => (
          <Widget key={name} title={b(`group.${name}` as BacktestKey)} isFlush>
            <DataTable
              label={b(`group.${name}` as BacktestKey)}
              columns={columns()}
              items={report.groups[name] ?? []}
              keyOf={(group) => group.name}
            />
          </Widget>
        ))}
      </div>
    </>
  );
}

function Year({ year, months }: { year: number; months: Report["months"] }) {
  const mine = months.filter((one) => one.year === year);
  const whole = mine.reduce((product, { earned }) => product * (1 + earned), 1) - 1;
  return (
    <tr>
      <th scope="row">{year}</th>
      {MONTHS.map((month) => {
        const found = mine.find((one) => one.month === month);
        return (
          <td key={month} className="is-right">
            {found && <Gain value={found.earned} text={percent(found.earned, 2, true)} />}
          </td>
        );
      })}
      <td className="is-right">
        <b>
          <Gain value={whole} text={percent(whole, 2, true)} />
        </b>
      </td>
    </tr>
  );
}

const columns = (): Column<Group>[] => [
  {
    key: "name",
    title: b("group.name"),
    role: "lead",
    cell: ({ name }) => (/^\d/.test(name) ? name : backtestLabel("code", name)),
  },
  {
    key: "trades",
    title: b("field.trades"),
    align: "right",
    cell: ({ trades }) => <span className="num">{fixed(trades, 0)}</span>,
    sortBy: ({ trades }) => trades,
  },
  {
    key: "won",
    title: b("group.won"),
    align: "right",
    cell: ({ wins, trades }) => <span className="num">{percent(wins / trades, 1)}</span>,
    sortBy: ({ wins, trades }) => wins / trades,
  },
  {
    key: "net",
    title: b("field.net"),
    align: "right",
    cell: ({ net }) => <Gain value={net} />,
    sortBy: ({ net }) => net,
  },
  {
    key: "average",
    title: b("group.average"),
    align: "right",
    cell: ({ average }) => <Gain value={average} />,
    sortBy: ({ average }) => average,
  },
  {
    key: "factor",
    title: b("group.factor"),
    align: "right",
    cell: ({ profit_factor }) => <span className="num">{fixed(profit_factor, 2)}</span>,
    sortBy: ({ profit_factor }) => profit_factor ?? Infinity,
  },
];
