/** How close the account is to each of its limits, and the levers that stop it. */

import { t } from "../../strings";
import "../../styles/risk.css";
import { usePageTitle } from "../usePageTitle";
import { Breaches } from "./Breaches";
import { CurrencyWidget, SymbolWidget } from "./ExposureWidgets";
import { LeversWidget } from "./LeversWidget";
import { LimitsWidget } from "./LimitsWidget";
import { useRisk } from "./riskQuery";
import { StressWidgets } from "./StressWidgets";

export function RiskPage() {
  usePageTitle(t("page.risk"));
  const query = useRisk();
  return (
    <div className="page-risk" data-testid="page-risk">
      <h1 className="sr-only">{t("page.risk")}</h1>
      <LeversWidget holds={query.data?.holds ?? ""} />
      <LimitsWidget query={query} />
      <div className="stack">
        <StressWidgets />
        <CurrencyWidget query={query} />
        <SymbolWidget query={query} />
        <Breaches />
      </div>
    </div>
  );
}
