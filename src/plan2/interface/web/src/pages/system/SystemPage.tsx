/** How the machine feels: components, latencies, loop, clients, the event log, and what it is made of. */

import { useLiveHealth } from "../../api/live";
import { useHealth, useSystem } from "../../api/queries";
import { DASH, duration, fixed, pace } from "../../format/numbers";
import type { Health } from "../../gen/protocol";
import { label, t, words } from "../../strings";
import { Time } from "../../widgets/Figures";
import { Tile } from "../../widgets/parts";
import { statusLook } from "../../widgets/status";
import { MissingPositions } from "../positions/MissingPositions";
import { usePageTitle } from "../usePageTitle";
import { AboutWidget } from "./AboutWidget";
import { ComponentTree } from "./ComponentTree";
import { EventTail } from "./EventTail";
import { LatencyWidget } from "./LatencyWidget";
import { TerminalCard } from "./TerminalCard";

export function SystemPage() {
  usePageTitle(t("page.system"));
  const query = useHealth();
  const health = useLiveHealth();
  return (
    <div className="page-system" data-testid="page-system">
      <h1 className="sr-only">{t("page.system")}</h1>
      <div className="area-tiles stack">
        <Tiles />
        <TerminalCard />
        <MissingPositions />
      </div>
      <ComponentTree health={health} query={query} />
      <LatencyWidget health={health} query={query} />
      <EventTail />
      <AboutWidget />
    </div>
  );
}

function Tiles() {
  return (
    <div className="tiles">
      <HealthTiles health={useLiveHealth()} />
      <RunTiles />
    </div>
  );
}

function HealthTiles({ health }: { health: Health | undefined }) {
  const decision =
    health?.latency.find((stage) => stage.stage === "tick_to_decision") ?? health?.latency[0];
  return (
    <>
      <Tile
        name={t("system.status")}
        value={
          health ? (
            <span className={statusLook(health.status).tone}>{words(health.status)}</span>
          ) : (
            DASH
          )
        }
        foot={health && t("system.components", { count: health.components.length })}
      />
      <Tile
        name={decision ? t("system.p99_of", { stage: label("stage", decision.stage) }) : "p99"}
        value={duration(decision?.p99_us)}
        foot={decision && t("system.p50_is", { p50: duration(decision.p50_us) })}
      />
      <Tile
        name={t("system.loop_lag")}
        value={
          <>
            {fixed(health?.loop_lag_ms_p99, 1)} <small>ms</small>
          </>
        }
        foot={t("system.loop_lag_help")}
      />
      <Tile
        name={t("system.clients")}
        value={health?.ws_clients ?? DASH}
        foot={t("system.clients_help")}
      />
    </>
  );
}

function RunTiles() {
  const { data: system } = useSystem();
  return (
    <>
      <Tile
        name={t("system.version")}
        value={system?.version ?? DASH}
        foot={system && words(system.mode)}
      />
      <Tile
        name={t("system.started")}
        value={
          <small>
            <Time us={system?.started_us} form="short" />
          </small>
        }
        foot={system && t("system.speed", { speed: pace(system.speed) })}
      />
    </>
  );
}
