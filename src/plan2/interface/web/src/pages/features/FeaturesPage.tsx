/** What the models look at: every feature's meaning, its value now, and what its check found. */

import { useState } from "react";
import { useLocation } from "wouter";
import { useFeatureBook, useFeatures, useSymbols } from "../../api/queries";
import { t } from "../../strings";
import "../../styles/admin.css";
import { DataTable } from "../../widgets/DataTable";
import { Hash } from "../../widgets/Figures";
import { Segments } from "../../widgets/parts";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { usePageTitle } from "../usePageTitle";
import { CheckWidget } from "./CheckWidget";
import { columns, type Entry } from "./columns";

const NOW_MS = 2_000;

export function FeaturesPage({ symbol }: { symbol: string }) {
  usePageTitle(t("page.features"));
  const [, navigate] = useLocation();
  const [isWhole, setWhole] = useState(false);
  const symbols = useSymbols().data ?? [];
  const chosen = symbol || (symbols[0]?.symbol ?? "");
  const query = useFeatureBook();
  const now = useFeatures(chosen, NOW_MS);
  const book = query.data;
  const entries: Entry[] = (isWhole ? book?.catalogue : book?.in_use) ?? [];
  const values = new Map(now.data?.names.map((name, i) => [name, now.data?.values[i] ?? null]));
  const csv = () => [
    ["name", "group", "value", "unit", "warmup_bars", "low", "high", "meaning", "formula"],
    ...entries.map((entry) => [
      entry.name,
      entry.group,
      values.get(entry.name) ?? "",
      entry.unit,
      entry.warmup_bars,
      entry.low,
      entry.high,
      entry.meaning,
      entry.formula,
    ]),
  ];
  return (
    <div className="page-services" data-testid="page-features">
      <h1 className="sr-only">{t("page.features")}</h1>
      <Widget
        title={t("features.title", { count: entries.length })}
        state={widgetState(query, {
          isEmpty: entries.length === 0,
          title: t("features.none"),
          hint: t("features.none_hint"),
        })}
        isFlush
        csv={csv}
        actions={
          <>
            <Segments
              label={t("models.symbols")}
              value={chosen}
              onChange={(value) => navigate(`/features/${encodeURIComponent(value)}`)}
              options={symbols.map(({ symbol: value }) => ({ value, text: value }))}
            />
            <Segments
              label={t("features.which")}
              value={isWhole ? "all" : "used"}
              onChange={(value) => setWhole(value === "all")}
              options={[
                { value: "used", text: t("features.in_use") },
                { value: "all", text: t("features.catalogue") },
              ]}
            />
          </>
        }
      >
        {book && (
          <p className="dim features-note">
            {t("features.set", { name: book.set_name, version: book.set_version })} ·{" "}
            {t("features.ready_after", { count: book.ready_after_bars })} · {t("features.schema")}{" "}
            <Hash value={book.schema_id} />
            {now.data && !now.data.ready && <b className="warn"> · {t("features.warming")}</b>}
          </p>
        )}
        <DataTable
          label={t("page.features")}
          items={entries}
          keyOf={(entry) => entry.name}
          columns={columns(chosen, (name) => values.get(name))}
        />
      </Widget>
      <CheckWidget query={query} />
    </div>
  );
}
