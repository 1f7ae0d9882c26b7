/** Routes and providers. */

import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useMemo } from "react";
import { Route, Switch, useLocation } from "wouter";
import { newQueries } from "./api/queryClient";
import { NotFound } from "./pages/NotFound";
import { OverviewPage } from "./pages/overview/OverviewPage";
import { Shell } from "./shell/Shell";
import { useChosenLanguage, useHasContrast, useScheme } from "./shell/appearance";
import { usePreferences } from "./state/preferences";
import type { StreamClient } from "./stream/client";
import { LinkProvider, StreamProvider } from "./stream/react";
import { t } from "./strings";
import { useLanguage } from "./strings/language";
import { makeTheme } from "./theme";
import { Boundary } from "./widgets/Boundary";
import { useIsPhone } from "./widgets/phone";
import { Failure, Loading } from "./widgets/Widget";

// Every page but the first is loaded when it is opened.
const SystemPage = lazy(() =>
  import("./pages/system/SystemPage").then((m) => ({ default: m.SystemPage })),
);
const PositionsPage = lazy(() =>
  import("./pages/positions/PositionsPage").then((m) => ({ default: m.PositionsPage })),
);
const ModelsPage = lazy(() =>
  import("./pages/models/ModelsPage").then((m) => ({ default: m.ModelsPage })),
);
const MarketPage = lazy(() =>
  import("./pages/market/MarketPage").then((m) => ({ default: m.MarketPage })),
);
const DecisionsPage = lazy(() =>
  import("./pages/decisions/DecisionsPage").then((m) => ({ default: m.DecisionsPage })),
);
const SettingsPage = lazy(() =>
  import("./pages/settings/SettingsPage").then((m) => ({ default: m.SettingsPage })),
);
const AuditPage = lazy(() =>
  import("./pages/audit/AuditPage").then((m) => ({ default: m.AuditPage })),
);
const ServicesPage = lazy(() =>
  import("./pages/services/ServicesPage").then((m) => ({ default: m.ServicesPage })),
);
const TrainingPage = lazy(() =>
  import("./pages/training/TrainingPage").then((m) => ({ default: m.TrainingPage })),
);
const ResearchPage = lazy(() =>
  import("./pages/research/ResearchPage").then((m) => ({ default: m.ResearchPage })),
);
const BacktestsPage = lazy(() =>
  import("./pages/backtests/BacktestsPage").then((m) => ({ default: m.BacktestsPage })),
);
const LearningPage = lazy(() =>
  import("./pages/learning/LearningPage").then((m) => ({ default: m.LearningPage })),
);
const AlertsPage = lazy(() =>
  import("./pages/alerts/AlertsPage").then((m) => ({ default: m.AlertsPage })),
);
const FlowsPage = lazy(() =>
  import("./pages/flows/FlowsPage").then((m) => ({ default: m.FlowsPage })),
);
const FeaturesPage = lazy(() =>
  import("./pages/features/FeaturesPage").then((m) => ({ default: m.FeaturesPage })),
);
const RiskPage = lazy(() => import("./pages/risk/RiskPage").then((m) => ({ default: m.RiskPage })));
const HelpPage = lazy(() => import("./pages/help/HelpPage").then((m) => ({ default: m.HelpPage })));
const TenantsPage = lazy(() =>
  import("./pages/tenants/TenantsPage").then((m) => ({ default: m.TenantsPage })),
);

const queries = newQueries();

export function App({ client }: { client: StreamClient }) {
  const { palette, density } = usePreferences();
  const scheme = useScheme();
  const hasContrast = useHasContrast();
  const language = useLanguage((state) => state.shown);
  // On phones the buttons of dialogs and tables are at the lower edge.
  const isPhone = useIsPhone();
  const toasts = isPhone ? "top-center" : "bottom-right";
  const close = t("dialog.close");
  const theme = useMemo(() => makeTheme(close), [close]);
  useEffect(() => {
    const root = document.documentElement;
    root.dataset.palette = palette;
    root.dataset.density = density;
    root.dataset.contrast = hasContrast ? "more" : "";
  }, [palette, density, hasContrast]);
  return (
    <MantineProvider theme={theme} forceColorScheme={scheme}>
      <QueryClientProvider client={queries}>
        <StreamProvider value={client}>
          <LinkProvider>
            <Notifications position={toasts} limit={isPhone ? 1 : 3} containerWidth={330} />
            <Shell key={language}>
              <Page />
              <LanguageChoice />
            </Shell>
          </LinkProvider>
        </StreamProvider>
      </QueryClientProvider>
    </MantineProvider>
  );
}

/** Follows the chosen language; inside of the providers, because the setting is asked for. */
function LanguageChoice() {
  useChosenLanguage();
  return null;
}

/** The page of the address; when it fails, the frame with the kill switch stays. */
function Page() {
  const [location] = useLocation();
  const page = location.split("/")[1] ?? "";
  return (
    <Boundary key={page} fallback={(error, retry) => <Failure error={error} retry={retry} />}>
      <Suspense fallback={<Loading />}>
        <Pages />
      </Suspense>
    </Boundary>
  );
}

function Pages() {
  return (
    <Switch>
      <Route path="/" component={OverviewPage} />
      <Route path="/market/:symbol?">{({ symbol }) => <MarketPage symbol={symbol ?? ""} />}</Route>
      <Route path="/decisions/:id?">{({ id }) => <DecisionsPage id={id ?? ""} />}</Route>
      <Route path="/positions/:tab?">{({ tab }) => <PositionsPage tab={tab ?? "open"} />}</Route>
      <Route path="/flows/:name?">{({ name }) => <FlowsPage name={name ?? ""} />}</Route>
      <Route path="/models/:id?">{({ id }) => <ModelsPage id={id ?? ""} />}</Route>
      <Route path="/training/:id?">{({ id }) => <TrainingPage id={id ?? ""} />}</Route>
      <Route path="/risk" component={RiskPage} />
      <Route path="/help" component={HelpPage} />
      <Route path="/alerts" component={AlertsPage} />
      <Route path="/research/:id?">{({ id }) => <ResearchPage id={id ?? ""} />}</Route>
      <Route path="/backtests/:id?/:tab?">
        {({ id, tab }) => <BacktestsPage id={id ?? ""} tab={tab ?? ""} />}
      </Route>
      <Route path="/learning" component={LearningPage} />
      <Route path="/features/:symbol?">
        {({ symbol }) => <FeaturesPage symbol={symbol ?? ""} />}
      </Route>
      <Route path="/system" component={SystemPage} />
      <Route path="/services" component={ServicesPage} />
      <Route path="/audit/:tab?">{({ tab }) => <AuditPage tab={tab ?? ""} />}</Route>
      <Route path="/tenants/:id?">{({ id }) => <TenantsPage id={id ?? ""} />}</Route>
      <Route path="/settings/:section?">
        {({ section }) => <SettingsPage section={section ?? ""} />}
      </Route>
      <Route component={NotFound} />
    </Switch>
  );
}
