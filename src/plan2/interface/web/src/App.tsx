/** Routes and providers. */

import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense, useEffect } from "react";
import { Route, Switch, useLocation } from "wouter";
import { ApiProblem } from "./api/client";
import { DecisionsPage } from "./pages/decisions/DecisionsPage";
import { MarketPage } from "./pages/market/MarketPage";
import { ModelsPage } from "./pages/models/ModelsPage";
import { NotFound } from "./pages/NotFound";
import { OverviewPage } from "./pages/overview/OverviewPage";
import { PositionsPage } from "./pages/positions/PositionsPage";
import { SystemPage } from "./pages/system/SystemPage";
import { Shell } from "./shell/Shell";
import { usePreferences } from "./state/preferences";
import type { StreamClient } from "./stream/client";
import { LinkProvider, StreamProvider } from "./stream/react";
import { theme as mantineTheme } from "./theme";
import { Boundary } from "./widgets/Boundary";
import { Failure, Loading } from "./widgets/Widget";

// What is opened now and then is loaded when it is.
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
const LearningPage = lazy(() =>
  import("./pages/learning/LearningPage").then((m) => ({ default: m.LearningPage })),
);
const FlowsPage = lazy(() =>
  import("./pages/flows/FlowsPage").then((m) => ({ default: m.FlowsPage })),
);
const FeaturesPage = lazy(() =>
  import("./pages/features/FeaturesPage").then((m) => ({ default: m.FeaturesPage })),
);
const TenantsPage = lazy(() =>
  import("./pages/tenants/TenantsPage").then((m) => ({ default: m.TenantsPage })),
);

const MAX_TRIES = 2;

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // A refusal stays a refusal; only an unanswered or failed request is asked again.
      retry: (count, error) =>
        count < MAX_TRIES &&
        (!(error instanceof ApiProblem) || error.status === 0 || error.status >= 500),
    },
  },
});

export function App({ client }: { client: StreamClient }) {
  const { theme, palette, density } = usePreferences();
  useEffect(() => {
    const root = document.documentElement;
    root.dataset.palette = palette;
    root.dataset.density = density;
  }, [palette, density]);
  return (
    <MantineProvider theme={mantineTheme} forceColorScheme={theme}>
      <QueryClientProvider client={queries}>
        <StreamProvider value={client}>
          <LinkProvider>
            <Notifications position="bottom-right" limit={3} containerWidth={330} />
            <Shell>
              <Page />
            </Shell>
          </LinkProvider>
        </StreamProvider>
      </QueryClientProvider>
    </MantineProvider>
  );
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
