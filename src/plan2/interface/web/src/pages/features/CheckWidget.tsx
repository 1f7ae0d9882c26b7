/** What the last `plan2 features check` of the features in use found. */

import type { UseQueryResult } from "@tanstack/react-query";
import type { Answer } from "../../api/typed";
import { t } from "../../strings";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";

type Book = Answer<"get", "/api/v1/features/book">;
type Finding = NonNullable<Book["checked"]>["findings"][number];

const LOOKS = { error: "is-crit", warning: "is-warn", note: "" } as const;

const columns = (): Column<Finding>[] => [
  {
    key: "feature",
    title: t("features.name"),
    cell: (finding) => <span className="mono">{finding.feature}</span>,
    sortBy: (finding) => finding.feature,
    role: "lead",
  },
  {
    key: "severity",
    title: t("features.severity"),
    cell: ({ severity }) => (
      <span className={`chip ${LOOKS[severity]}`}>{t(`features.${severity}`)}</span>
    ),
    sortBy: (finding) => Object.keys(LOOKS).indexOf(finding.severity),
  },
  { key: "text", title: t("features.found"), cell: (finding) => finding.text, role: "wide" },
];

export function CheckWidget({ query }: { query: UseQueryResult<Book> }) {
  const checked = query.data?.checked;
  const state = widgetState(query, {
    isEmpty: !checked,
    title: t("features.unchecked"),
    hint: t("features.unchecked_hint"),
  });
  return (
    <Widget title={t("features.check")} state={state} isFlush folds>
      {checked && (
        <>
          <p className="dim features-note">
            {t(
              checked.findings.some(({ severity }) => severity === "error")
                ? "features.failed"
                : "features.passed",
              { bars: checked.bars, symbol: checked.symbol },
            )}
          </p>
          <DataTable
            label={t("features.check")}
            items={checked.findings}
            keyOf={(finding) => `${finding.feature} ${finding.text}`}
            columns={columns()}
          />
        </>
      )}
    </Widget>
  );
}
