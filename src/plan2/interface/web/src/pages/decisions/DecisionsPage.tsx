/** Every decision, traded or not: the list with its filters, and one record whole. */

import { useMemo } from "react";
import { useLocation, useSearch } from "wouter";
import { useDecisions } from "../../api/queries";
import { useShortcuts } from "../../shell/useShortcuts";
import { t } from "../../strings";
import { flat } from "../../widgets/parts";
import { usePageTitle } from "../usePageTitle";
import { DecisionDetail } from "./DecisionDetail";
import { DecisionList } from "./DecisionList";
import { filterOf } from "./filters";

export function DecisionsPage({ id }: { id: string }) {
  usePageTitle(t("page.decisions"));
  const [, navigate] = useLocation();
  const search = useSearch();
  const filter = useMemo(() => filterOf(search), [search]);
  const query = useDecisions(filter);
  const items = useMemo(() => flat(query.data), [query.data]);
  const open = useMemo(
    () => (next: string) =>
      navigate(`/decisions/${encodeURIComponent(next)}${search ? `?${search}` : ""}`),
    [navigate, search],
  );
  const keys = useMemo(() => {
    const step = (by: number) => {
      const at = items.findIndex((item) => item.decision_id === id);
      const next = items[Math.max(0, Math.min(items.length - 1, at + by))];
      if (next) open(next.decision_id);
    };
    return [
      { keys: "j", run: () => step(1) },
      { keys: "k", run: () => step(-1) },
    ];
  }, [items, id, open]);
  useShortcuts(keys);
  return (
    <div className={`page-decisions ${id ? "has-detail" : ""}`} data-testid="page-decisions">
      <h1 className="sr-only">{t("page.decisions")}</h1>
      <DecisionList query={query} items={items} filter={filter} selected={id} open={open} />
      <div className="area-detail">
        {id ? (
          <DecisionDetail
            key={id}
            id={id}
            back={() => navigate(`/decisions${search ? `?${search}` : ""}`)}
          />
        ) : (
          <div className="w w-state">
            <strong>{t("decisions.choose")}</strong>
            <span>{t("decisions.choose_hint")}</span>
          </div>
        )}
      </div>
    </div>
  );
}
