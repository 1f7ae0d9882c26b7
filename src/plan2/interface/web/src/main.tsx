/** Entry point: loads the session, opens the stream, shows the app. */

import "@mantine/core/styles/baseline.layer.css";
import "./styles/mantine.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/widgets.css";
import "./styles/pages.css";
import "./styles/trade.css";
import "./styles/touch.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { loadSession } from "./api/client";
import { SUBPROTOCOL } from "./gen/protocol";
import { prepareInstallation } from "./state/install";
import { usePreferences } from "./state/preferences";
import { useSession } from "./state/session";
import { StreamClient } from "./stream/client";
import { browserEnvironment } from "./stream/environment";
import { showLanguage } from "./strings/language";
import { PHONE } from "./widgets/phone";

prepareInstallation();

const STREAM_PATH = "/api/v1/stream";

const suits = matchMedia(PHONE).matches ? "saver" : "normal";
const rateNow = () => usePreferences.getState().rate || suits;
const client = new StreamClient(browserEnvironment(STREAM_PATH, SUBPROTOCOL), rateNow());
usePreferences.subscribe(() => client.setRate(rateNow()));

/** A server that does not answer must not keep the page from appearing. */
const SESSION_WAIT_MS = 2_000;

function show(): void {
  const root = document.querySelector("#root");
  if (!root) return;
  createRoot(root).render(
    <StrictMode>
      <App client={client} />
    </StrictMode>,
  );
}

const language = usePreferences.getState().language;
// Texts that cannot be loaded stay English.
const spoken = language === "" ? Promise.resolve() : showLanguage(language).catch(() => undefined);

// Whoever is not signed in is asked first; nothing else is requested in vain.
const session = loadSession().catch(() => null);
void session.then(() => {
  if (!useSession.getState().isSignedOut) client.connect();
});
void Promise.race([
  Promise.all([session, spoken]),
  new Promise((done) => setTimeout(done, SESSION_WAIT_MS)),
]).then(show);
