/** Reports of training and evaluation: how much evidence each rests on, and a link to its page. */

import { useReports } from "../../api/queries";
import { significant } from "../../format/numbers";
import type { ReportRow } from "../../gen/api";
import { label, t, words } from "../../strings";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";

const TONES: Record<string, string> = { skill: "is-ok", "no skill": "is-crit" };

const columns = (): Column<ReportRow>[] => [
  {
    key: "made",
    title: t("reports.made"),
    cell: (report) => (
      <a href={report.href} target="_blank" rel="noopener noreferrer">
        {words(report.made_by)} <Time us={report.made_us} form="short" />
      </a>
    ),
    sortBy: (report) => report.made_us,
    role: "lead",
  },
  {
    key: "symbols",
    title: t("models.symbols"),
    cell: (report) => report.symbols.join(", "),
    sortBy: (report) => report.symbols.join(),
  },
  {
    key: "families",
    title: t("models.family"),
    cell: (report) => report.families.map((family) => label("family", family)).join(", "),
    sortBy: (report) => report.families.join(),
  },
  {
    key: "verdict",
    title: t("models.verdict"),
    cell: (report) => <Verdict report={report} />,
    sortBy: (report) => report.verdict,
    role: "wide",
  },
  {
    key: "n_eff",
    title: t("reports.evidence"),
    align: "right",
    cell: (report) => <span className="num">{evidence(report)}</span>,
    sortBy: (report) => report.n_eff,
  },
];

/** Independent events that were tested, of those that the observed accuracy needs. */
const evidence = ({ n_eff, n_required }: ReportRow): string =>
  n_required === null
    ? significant(Math.round(n_eff))
    : t("reports.of", {
        found: significant(Math.round(n_eff)),
        needed: significant(Math.ceil(n_required)),
      });

function Verdict({ report }: { report: ReportRow }) {
  return (
    <>
      <span className={`chip ${TONES[report.verdict] ?? "is-warn"}`}>{words(report.verdict)}</span>{" "}
      {report.flags.map((flag) => (
        <span key={flag} className="chip is-warn">
          {words(flag.toLowerCase())}
        </span>
      ))}
    </>
  );
}

export function ReportsPanel() {
  const query = useReports();
  const items = query.data ?? [];
  const state = widgetState(query, {
    isEmpty: items.length === 0,
    title: t("reports.none"),
    hint: t("reports.none_hint"),
  });
  return (
    <Widget title={t("reports.title")} state={state} isFlush className="area-reports">
      <DataTable
        label={t("reports.title")}
        columns={columns()}
        items={items}
        keyOf={(report) => report.report_id}
      />
    </Widget>
  );
}
