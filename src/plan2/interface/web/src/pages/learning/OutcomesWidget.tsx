/** What was forecast and what came of it, acted and abstained alike. */

import { useMemo } from "react";
import { useOutcomes } from "../../api/learning";
import type { Item } from "../../api/typed";
import { DASH, fixed, percent } from "../../format/numbers";
import { label, words } from "../../strings";
import { l } from "../../strings/learning";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Gain, Time } from "../../widgets/Figures";
import { flat, LoadMore } from "../../widgets/parts";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { spoken } from "../../strings/told";

type Outcome = Item<"/api/v1/learning/outcomes">;
type Said = { outcome: Outcome; said: Outcome["forecasts"][number] };

export function OutcomesWidget({ symbol }: { symbol: string }) {
  const query = useOutcomes(symbol);
  const rows = useMemo(
    () =>
      flat(query.data).flatMap((outcome): Said[] =>
        outcome.forecasts.map((said) => ({ outcome, said })),
      ),
    [query.data],
  );
  const state = widgetState(query, {
    isEmpty: rows.length === 0,
    title: l("outcomes.none"),
    hint: l("outcomes.none_hint"),
  });
  const csv = () => [
    [
      "sampled_us",
      "symbol",
      "candidate_id",
      "role",
      "p_up",
      "abstained",
      "status",
      "side",
      "net_r",
    ],
    ...rows.map(({ outcome, said }) => [
      outcome.sampled_us,
      outcome.symbol,
      said.candidate_id,
      said.role,
      said.p_up,
      said.abstained,
      outcome.status,
      outcome.side,
      said.net_r,
    ]),
  ];
  return (
    <Widget title={l("outcomes.title")} state={state} isFlush folds csv={csv}>
      <DataTable
        label={l("outcomes.title")}
        columns={columns()}
        items={rows}
        keyOf={({ outcome, said }) => `${outcome.position} ${said.candidate_id}`}
        footer={<LoadMore query={query} />}
      />
    </Widget>
  );
}

const columns = (): Column<Said>[] => [
  {
    key: "event",
    title: l("outcomes.event"),
    role: "lead",
    cell: ({ outcome }) => (
      <span>
        <b>{outcome.symbol}</b> <Time us={outcome.sampled_us} form="short" />
      </span>
    ),
    sortBy: ({ outcome }) => outcome.sampled_us,
  },
  { key: "who", isSecondary: true, title: l("outcomes.who"), cell: ({ said }) => words(said.role) },
  {
    key: "p",
    title: l("outcomes.p"),
    align: "right",
    cell: ({ said }) => <span className="num">{percent(said.p_up, 1)}</span>,
    sortBy: ({ said }) => said.p_up,
  },
  {
    key: "side",
    title: l("outcomes.side"),
    cell: ({ outcome }) =>
      outcome.status === "resolved" ? l(`side.${outcome.side}` as Parameters<typeof l>[0]) : DASH,
  },
  {
    key: "result",
    title: l("outcomes.result"),
    align: "right",
    cell: ({ said }) =>
      said.net_r === null ? DASH : <Gain value={said.net_r} text={fixed(said.net_r, 2, true)} />,
    sortBy: ({ said }) => said.net_r ?? -Infinity,
  },
  {
    key: "abstained",
    isSecondary: true,
    title: l("outcomes.abstained"),
    cell: ({ said }) =>
      said.abstained ? label("reason", said.abstained) : <b>{l("outcomes.acted")}</b>,
  },
  {
    key: "status",
    isSecondary: true,
    title: l("outcomes.status"),
    cell: ({ outcome }) => spoken(outcome.reason).children || words(outcome.status),
  },
];
