/** Says on every page whether this is a simulation, a replay, a demo account or real money. */

import { useEffect } from "react";
import { useAccountMode } from "../api/orders";
import { useSystem } from "../api/queries";
import { pace } from "../format/numbers";
import type { SystemInfo } from "../gen/protocol";
import { useIsPast } from "../state/past";
import { t } from "../strings";

/** What is at stake: what is not known to be harmless counts as real money. */
export type Stake = "simulated" | "replay" | "demo" | "contest" | "real";

export function stakeOf(mode: SystemInfo["mode"], accountMode: string | undefined): Stake {
  if (mode !== "live") return mode;
  return accountMode === "demo" || accountMode === "contest" ? accountMode : "real";
}

function textOf(system: SystemInfo, stake: Stake, accountMode: string | undefined): string {
  const speed = pace(system.speed);
  if (stake === "simulated" || stake === "replay") return t(`env.${stake}`, { speed });
  if (stake === "real") return t(accountMode === "real" ? "env.real" : "env.real_unknown");
  return t(`env.${stake}`);
}

export function EnvironmentBadge() {
  const { data } = useSystem();
  const accountMode = useAccountMode();
  const stake = data && stakeOf(data.mode, accountMode);
  useEffect(() => {
    if (stake) document.documentElement.dataset.stake = stake;
  }, [stake]);
  const isPast = useIsPast();
  if (!data || !stake) return null;
  if (isPast) return <span className="env is-replay">{t("past.badge")}</span>;
  return (
    <span
      className={`env is-${stake}`}
      data-testid="environment"
      data-mode={data.mode}
      data-stake={stake}
    >
      {textOf(data, stake, accountMode)}
    </span>
  );
}
