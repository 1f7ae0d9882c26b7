/** The list of decisions with its filters, newest first. */

import { Select } from "@mantine/core";
import { useSearchParams } from "wouter";
import { type DecisionFilter, useSymbols, type useDecisions } from "../../api/queries";
import { percent } from "../../format/numbers";
import type { DecisionItem } from "../../gen/protocol";
import { label, t } from "../../strings";
import { OutcomeChip, SideTag, Time } from "../../widgets/Figures";
import { LoadMore } from "../../widgets/parts";
import { Busy, Failure, Loading, Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { OUTCOMES, REASONS } from "./filters";
import { said, spoken } from "../../strings/told";

type Props = {
  query: ReturnType<typeof useDecisions>;
  items: DecisionItem[];
  filter: DecisionFilter;
  selected: string;
  open: (id: string) => void;
};

export function DecisionList({ query, items, filter, selected, open }: Props) {
  const isFiltered = filter.symbol !== "" || filter.outcome !== "" || filter.reason !== "";
  const state = widgetState(query, {
    isEmpty: items.length === 0,
    title: t(isFiltered ? "decisions.none_match" : "decisions.empty"),
    hint: t(isFiltered ? "decisions.none_match_hint" : "decisions.empty_hint"),
  });
  const csv = () => [
    [
      "decision_id",
      "ts_us",
      "symbol",
      "outcome",
      "reason",
      "p",
      "ev",
      "cost",
      "quantity",
      "sentence",
    ],
    ...items.map((item) => [
      item.decision_id,
      item.ts_us,
      item.symbol,
      item.outcome,
      item.reason,
      item.p,
      item.ev,
      item.cost,
      item.quantity,
      item.sentence,
    ]),
  ];
  return (
    <Widget
      title={t("decisions.title")}
      state={{ kind: "ready" }}
      isFlush
      className="area-list"
      csv={csv}
    >
      <Filters filter={filter} />
      <ListBody state={state} items={items} selected={selected} open={open} />
      <LoadMore query={query} />
    </Widget>
  );
}

type BodyProps = Pick<Props, "items" | "selected" | "open"> & {
  state: ReturnType<typeof widgetState>;
};

function ListBody({ state, items, selected, open }: BodyProps) {
  if (state.kind === "loading") return <Loading />;
  if (state.kind === "busy") return <Busy />;
  if (state.kind === "empty")
    return (
      <div className="w-state">
        <strong>{state.title}</strong>
        <span>{state.hint}</span>
      </div>
    );
  if (state.kind === "error") return <Failure error={state.error} retry={state.retry} />;
  return (
    <ul className="feed">
      {items.map((item) => (
        <li key={item.decision_id}>
          <button
            type="button"
            className="feed-item"
            aria-current={item.decision_id === selected ? "true" : undefined}
            onClick={() => open(item.decision_id)}
          >
            <span className="row wrap">
              <b>{item.symbol}</b> <SideTag side={item.side} />{" "}
              <OutcomeChip outcome={item.outcome} />
              <span className="grow" style={{ textAlign: "right" }}>
                <Time us={item.ts_us} />
              </span>
            </span>
            <span className="row">
              <span
                className="feed-sentence grow"
                title={said(item.sentence)}
                {...spoken(item.sentence)}
              />
              <span className="num faint">{percent(item.p, 1)}</span>
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function Filters({ filter }: { filter: DecisionFilter }) {
  const { data: symbols } = useSymbols();
  const [, setSearch] = useSearchParams();
  const change = (name: keyof DecisionFilter) => (value: string | null) =>
    setSearch(
      (old) => {
        if (value) old.set(name, value);
        else old.delete(name);
        return old;
      },
      { replace: true },
    );
  return (
    <div className="filters">
      <Select
        aria-label={t("field.symbol")}
        placeholder={t("field.symbol")}
        clearable
        searchable
        data={symbols?.map((info) => info.symbol) ?? []}
        value={filter.symbol || null}
        onChange={change("symbol")}
      />
      <Select
        aria-label={t("field.outcome")}
        placeholder={t("field.outcome")}
        clearable
        data={OUTCOMES.map((value) => ({ value, label: label("outcome", value) }))}
        value={filter.outcome || null}
        onChange={change("outcome")}
      />
      <Select
        aria-label={t("field.reason")}
        placeholder={t("field.reason")}
        clearable
        searchable
        data={REASONS.map((value) => ({ value, label: label("reason", value) }))}
        value={filter.reason || null}
        onChange={change("reason")}
      />
    </div>
  );
}
