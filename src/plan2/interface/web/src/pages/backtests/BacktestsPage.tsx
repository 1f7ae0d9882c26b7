/** Backtests: what runs, what is finished, one with its report, several side by side. */

import { useState } from "react";
import { useLocation, useSearch } from "wouter";
import { BACKTEST } from "../../api/backtests";
import { useLiveJobs } from "../../api/jobs";
import { useShortcuts } from "../../shell/useShortcuts";
import { useRight } from "../../state/session";
import { t } from "../../strings";
import { b } from "../../strings/backtests";
import "../../styles/admin.css";
import "../../styles/backtests.css";
import { usePageTitle } from "../usePageTitle";
import { CompareRuns } from "./CompareRuns";
import { NewRunDialog } from "./NewRunDialog";
import { RunReport } from "./RunReport";
import { RunningWidget } from "./RunningWidget";
import { RunsWidget } from "./RunsWidget";

export const COMPARE = "compare";

export function BacktestsPage({ id, tab }: { id: string; tab: string }) {
  usePageTitle(t("page.backtests"));
  const search = useSearch();
  const compared = new URLSearchParams(search).get("runs") ?? "";
  return (
    <div className="page-backtests" data-testid="page-backtests">
      <h1 className="sr-only">{t("page.backtests")}</h1>
      {id === "" && <Overview />}
      {id === COMPARE && <CompareRuns runs={compared} />}
      {id !== "" && id !== COMPARE && <RunReport key={id} id={id} tab={tab} />}
    </div>
  );
}

function Overview() {
  const [, navigate] = useLocation();
  const [isNew, setNew] = useState(false);
  const isManager = useRight("manager");
  const rows = useLiveJobs();
  useShortcuts(isManager ? [{ keys: "n", run: () => setNew(true) }] : []);
  const mine = rows?.filter(([, kind]) => kind === BACKTEST) ?? null;
  return (
    <>
      <RunningWidget rows={mine} canChange={isManager} />
      <RunsWidget
        open={(run_id) => navigate(`/backtests/${run_id}`)}
        compare={(ids) => navigate(`/backtests/${COMPARE}?runs=${ids.join(",")}`)}
        actions={
          isManager && (
            <button
              type="button"
              className="ghost-button"
              data-testid="new-backtest"
              aria-keyshortcuts="n"
              onClick={() => setNew(true)}
            >
              {b("new.title")}
            </button>
          )
        }
      />
      {isNew && <NewRunDialog close={() => setNew(false)} />}
    </>
  );
}
