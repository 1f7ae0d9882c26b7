/** Entry point: loads the session, opens the stream, shows the app. */

import "@mantine/core/styles/baseline.layer.css";
import "./styles/mantine.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/widgets.css";
import "./styles/pages.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { loadSession } from "./api/client";
import { SUBPROTOCOL } from "./gen/protocol";
import { StreamClient } from "./stream/client";
import { browserEnvironment } from "./stream/environment";

const STREAM_PATH = "/api/v1/stream";
const PHONE = "(max-width: 640px)";

const rate = matchMedia(PHONE).matches ? "saver" : "normal";
const client = new StreamClient(browserEnvironment(STREAM_PATH, SUBPROTOCOL), rate);

// Without a session the overlay asks for one; any other failure is left to the reconnecting stream.
loadSession().then(
  () => client.connect(),
  () => client.connect(),
);

const root = document.querySelector("#root");
if (root)
  createRoot(root).render(
    <StrictMode>
      <App client={client} />
    </StrictMode>,
  );
