/** Each model's vote; the contributions in log-odds add up to the forecast. */

import { DASH, fixed, percent } from "../../format/numbers";
import type { DecisionRecord, Vote } from "../../gen/protocol";
import { label, t, words } from "../../strings";
import { type Column, DataTable } from "../../widgets/DataTable";
import { ProbabilityBar } from "../../widgets/ProbabilityBar";
import { Widget } from "../../widgets/Widget";
import { blend, contribution } from "./blend";

const columns = (): Column<Vote>[] => [
  {
    key: "family",
    title: t("votes.model"),
    cell: (vote) => (
      <span>
        <b>{label("family", vote.family)}</b> <span className="mono faint">{vote.model_id}</span>
      </span>
    ),
    role: "lead",
  },
  {
    key: "raw",
    title: t("votes.raw"),
    align: "right",
    cell: (vote) => (vote.abstained ? DASH : percent(vote.raw, 2)),
  },
  {
    key: "calibrated",
    title: t("votes.calibrated"),
    cell: (vote) => (vote.abstained ? DASH : <ProbabilityBar p={vote.calibrated} isCompact />),
  },
  {
    key: "weight",
    title: t("votes.weight"),
    align: "right",
    cell: (vote) => percent(vote.weight, 1),
  },
  {
    key: "share",
    title: t("votes.share"),
    align: "right",
    cell: (vote) =>
      vote.abstained ? (
        <span className="warn">{words(vote.abstained)}</span>
      ) : (
        <span className="num">{fixed(contribution(vote), 5, true)}</span>
      ),
  },
];

export function VotesWidget({ forecast }: { forecast: DecisionRecord["forecast"] }) {
  const votes = forecast?.votes ?? [];
  const state = votes.length
    ? { kind: "ready" as const }
    : { kind: "empty" as const, title: t("votes.none"), hint: t("decision.no_forecast_hint") };
  const { sum, p } = blend(votes);
  return (
    <Widget title={t("votes.title")} state={state} isFlush className="is-wide">
      <DataTable
        label={t("votes.title")}
        columns={columns()}
        items={votes}
        keyOf={(vote) => vote.model_id}
        footer={
          <tr>
            <td colSpan={4}>{t("votes.sum", { p: percent(p, 3) })}</td>
            <td className="is-right num" data-testid="votes-sum">
              {fixed(sum, 5, true)}
            </td>
          </tr>
        }
      />
    </Widget>
  );
}
