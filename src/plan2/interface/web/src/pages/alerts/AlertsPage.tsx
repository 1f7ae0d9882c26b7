/** Alerts: what waits and what was raised, the rules, and the ways on which people are told. */

import { useRight } from "../../state/session";
import { t } from "../../strings";
import "../../styles/admin.css";
import "../../styles/alerts.css";
import { usePageTitle } from "../usePageTitle";
import { ChannelsWidget } from "./ChannelsWidget";
import { HistoryWidget } from "./HistoryWidget";
import { RulesWidget } from "./RulesWidget";

export function AlertsPage() {
  usePageTitle(t("page.alerts"));
  const isManager = useRight("manager");
  const isAdministrator = useRight("administrator");
  return (
    <div className="page-alerts" data-testid="page-alerts">
      <h1 className="sr-only">{t("page.alerts")}</h1>
      <HistoryWidget />
      <RulesWidget canChange={isManager} />
      <ChannelsWidget canTest={isManager} canChange={isAdministrator} />
    </div>
  );
}
