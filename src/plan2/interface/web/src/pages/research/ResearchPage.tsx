/** Research into flows: what there is with its verdict, one in full, and asking for more. */

import { useState } from "react";
import { useLocation } from "wouter";
import { type Outline, useResearchList } from "../../api/research";
import { percent } from "../../format/numbers";
import { useShortcuts } from "../../shell/useShortcuts";
import { useRight } from "../../state/session";
import { t } from "../../strings";
import { r, researchLabel } from "../../strings/research";
import "../../styles/admin.css";
import "../../styles/research.css";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { usePageTitle } from "../usePageTitle";
import { NewResearchDialog } from "./NewResearchDialog";
import { ResearchDetail } from "./ResearchDetail";
import { spoken } from "../../strings/told";

export function ResearchPage({ id }: { id: string }) {
  usePageTitle(t("page.research"));
  const [, navigate] = useLocation();
  const [isNew, setNew] = useState(false);
  const isManager = useRight("manager");
  const query = useResearchList();
  const items = query.data?.items ?? [];
  useShortcuts(isManager ? [{ keys: "n", run: () => setNew(true) }] : []);
  const state = widgetState(query, {
    isEmpty: items.length === 0,
    title: r("research.none"),
    hint: r("research.none_hint"),
  });
  return (
    <div className="page-services" data-testid="page-research">
      <h1 className="sr-only">{t("page.research")}</h1>
      <Widget
        title={t("page.research")}
        state={state}
        isFlush
        actions={
          isManager && (
            <button
              type="button"
              className="ghost-button"
              data-testid="new-research"
              aria-keyshortcuts="n"
              onClick={() => setNew(true)}
            >
              {r("research.new")}
            </button>
          )
        }
      >
        <DataTable
          label={t("page.research")}
          items={items}
          keyOf={(item) => item.research_id}
          selected={id}
          onOpen={(item) => navigate(`/research/${item.research_id}`)}
          columns={columns()}
        />
      </Widget>
      {id !== "" && (
        <ResearchDetail key={id} id={id} outline={items.find((i) => i.research_id === id)} />
      )}
      {isNew && (
        <NewResearchDialog close={() => setNew(false)} changed={() => void query.refetch()} />
      )}
    </div>
  );
}

const kindOf = (item: Outline): string => (item.kind ? r(`research.kind.${item.kind}`) : "–");

const columns = (): Column<Outline>[] => [
  {
    key: "flow",
    title: r("research.flow"),
    role: "lead",
    cell: (item) => `${item.flow || item.research_id} ${item.symbol}`,
    sortBy: (item) => item.flow,
  },
  { key: "kind", title: r("research.kind"), cell: kindOf, sortBy: kindOf },
  {
    key: "state",
    title: r("research.state"),
    cell: (item) => (item.job_id ? percent(item.fraction, 0) : researchLabel("state", item.state)),
    sortBy: (item) => item.state,
  },
  { key: "found", title: r("research.found"), cell: (item) => <Found item={item} /> },
  {
    key: "written",
    title: r("research.written"),
    cell: (item) => <Time us={item.written_us} form="short" />,
    sortBy: (item) => item.written_us,
  },
  {
    key: "verdict",
    title: r("research.verdict"),
    role: "wide",
    cell: (item) => <span {...spoken(item.verdict)} />,
  },
];

function Found({ item }: { item: Outline }) {
  if (item.state !== "done") return <span className="faint">–</span>;
  if (item.serious + item.warnings === 0)
    return <span className="dim">{r("research.nothing_found")}</span>;
  return (
    <span className="chips">
      {item.serious > 0 && (
        <span className="chip is-crit">{r("research.serious", { count: item.serious })}</span>
      )}
      {item.warnings > 0 && (
        <span className="chip is-warn">{r("research.warnings", { count: item.warnings })}</span>
      )}
    </span>
  );
}
