/** What every page shows at its top, with the kill switch at the far right. */

import { spotlight } from "@mantine/spotlight";
import { Tooltip } from "@mantine/core";
import { Link } from "wouter";
import { useLiveAccount } from "../api/live";
import { useSystem } from "../api/queries";
import { direction, money } from "../format/numbers";
import { useDialogs } from "../state/dialogs";
import { usePast } from "../state/past";
import { usePreferences } from "../state/preferences";
import { t } from "../strings";
import { Boundary } from "../widgets/Boundary";
import { Gain } from "../widgets/Figures";
import { Icon } from "../widgets/Icon";
import { useScheme } from "./appearance";
import { AlertBell } from "./AlertBell";
import { EnvironmentBadge } from "./EnvironmentBadge";
import { LinkPill } from "./LinkPill";
import { TradingControl } from "./TradingControl";

/** What stands in for a part that failed: the kill switch matters more. */
const nothing = () => null;

export function TopBar() {
  const { data: system } = useSystem();
  const open = useDialogs((state) => state.open);
  const openKill = () => {
    // Whoever kills means now.
    usePast.getState().leave();
    open({ kind: "kill" });
  };
  return (
    <header className={`top is-${system?.mode ?? "simulated"}`}>
      <Link href="/" className="mark" aria-label={t("shell.home")}>
        <img src="/favicon.svg" alt="" /> <span className="mark-text">Plan2</span>
      </Link>
      <EnvironmentBadge />
      <Boundary fallback={nothing}>
        <Figures />
      </Boundary>
      <div className="top-sep" />
      <LinkPill />
      <AlertBell />
      <TradingControl />
      <Tools />
      <button
        type="button"
        className="kill-button"
        onClick={openKill}
        aria-label={t("kill.open")}
        data-testid="kill"
      >
        <Icon name="kill" size={16} /> {t("kill.button")}
      </button>
      <Boundary fallback={nothing}>
        <SecondRow />
      </Boundary>
    </header>
  );
}

function Figures() {
  const account = useLiveAccount();
  const { data: system } = useSystem();
  if (!account) return <div className="top-figures" />;
  return (
    <div className="top-figures">
      <div className="figure is-secondary">
        <span className="figure-label">{t("account.name")}</span>
        <span className="figure-value dim">{account.account_id}</span>
      </div>
      <div className="figure">
        <span className="figure-label">
          {t("account.equity")} {system?.currency}
        </span>
        <span className="figure-value" data-testid="equity">
          {money(account.equity)}
        </span>
      </div>
      <div className="figure">
        <span className="figure-label">{t("account.day_pnl")}</span>
        <span className="figure-value">
          <Gain value={account.day_pnl} />
        </span>
      </div>
    </div>
  );
}

function Tools() {
  const isDark = useScheme() === "dark";
  const change = usePreferences((state) => state.change);
  const open = useDialogs((state) => state.open);
  return (
    <>
      <button type="button" className="search-button" onClick={spotlight.open}>
        <Icon name="search" size={15} /> <span className="search-text">{t("palette.short")}</span>{" "}
        <span className="kbd" aria-hidden="true">
          Ctrl K
        </span>
      </button>
      <span className="top-tools">
        <Tooltip label={t(isDark ? "prefs.to_light" : "prefs.to_dark")}>
          <button
            type="button"
            className="icon-button"
            onClick={() => change({ theme: isDark ? "light" : "dark" })}
            aria-label={t(isDark ? "prefs.to_light" : "prefs.to_dark")}
          >
            <Icon name={isDark ? "sun" : "moon"} />
          </button>
        </Tooltip>
        <Tooltip label={t("prefs.title")}>
          <button
            type="button"
            className="icon-button"
            onClick={() => open({ kind: "preferences" })}
            aria-label={t("prefs.title")}
          >
            <Icon name="settings" />
          </button>
        </Tooltip>
      </span>
    </>
  );
}

/** On phones: the badge and the two figures that must never be out of sight. */
function SecondRow() {
  const account = useLiveAccount();
  return (
    <div className="top-second">
      <EnvironmentBadge />
      <AlertBell />
      {account && (
        <span className="grow num">
          <span>{money(account.equity)}</span>
          <span className={direction(account.day_pnl) < 0 ? "down" : "up"}>
            {money(account.day_pnl, true)}
          </span>
        </span>
      )}
    </div>
  );
}
