/** Says on every page whether this is a simulation, a replay or real money. */

import { useSystem } from "../api/queries";
import { pace } from "../format/numbers";
import type { SystemInfo } from "../gen/protocol";
import { t } from "../strings";

function textOf(system: SystemInfo): string {
  if (system.mode === "simulated") return t("env.simulated", { speed: pace(system.speed) });
  return system.mode === "replay" ? t("env.replay", { speed: pace(system.speed) }) : t("env.live");
}

export function EnvironmentBadge() {
  const { data } = useSystem();
  if (!data) return null;
  return (
    <span className={`env is-${data.mode}`} data-testid="environment" data-mode={data.mode}>
      {textOf(data)}
    </span>
  );
}
