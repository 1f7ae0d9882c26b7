/** The feature vector as the models saw it; undefined values are marked, not zero. */

import { useMemo } from "react";
import { useFeatures } from "../../api/queries";
import { significant } from "../../format/numbers";
import type { DecisionRecord } from "../../gen/protocol";
import { t } from "../../strings";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Hash } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";

type Row = { name: string; value: number | null; unit: string };

const columns = (): Column<Row>[] => [
  {
    key: "name",
    title: t("features.name"),
    cell: (row) => <span className="mono">{row.name}</span>,
    sortBy: (row) => row.name,
    role: "lead",
  },
  {
    key: "value",
    title: t("features.value"),
    align: "right",
    sortBy: (row) => row.value ?? -Infinity,
    cell: (row) =>
      row.value === null ? (
        <span className="warn">{t("features.undefined")}</span>
      ) : (
        <span className="num">{significant(row.value)}</span>
      ),
  },
  {
    key: "unit",
    title: t("features.unit"),
    cell: (row) => <span className="faint">{row.unit}</span>,
  },
];

export function FeaturesWidget({ record }: { record: DecisionRecord }) {
  const { data: now } = useFeatures(record.symbol);
  const rows = useMemo(() => {
    // Units belong to a schema; those of another one would be a guess.
    const units = now?.schema_id === record.features.schema_id ? now.units : [];
    return record.features.values.map((value, i) => ({
      name: record.feature_names[i] ?? `f${i}`,
      value,
      unit: units[i] ?? "",
    }));
  }, [record, now]);
  const csv = () => [
    ["feature", "value", "unit"],
    ...rows.map((row) => [row.name, row.value, row.unit]),
  ];
  return (
    <Widget
      title={t("features.title", { count: rows.length })}
      isFlush
      csv={csv}
      className="is-wide"
      actions={
        <span className="faint row">
          {t("features.schema")} <Hash value={record.features.schema_id} /> · sha256{" "}
          <Hash value={record.features.sha256} length={8} />
        </span>
      }
    >
      <div className="features-table">
        <DataTable
          label={t("features.name")}
          columns={columns()}
          items={rows}
          keyOf={(row) => row.name}
        />
      </div>
    </Widget>
  );
}
