/** The broker's terminal: link, account, and figures of the way to it. */

import { useAccountMode, useTerminal } from "../../api/orders";
import { linkOf } from "../../api/terminal";
import { DASH, fixed } from "../../format/numbers";
import { t, words } from "../../strings";
import { Pair, Time } from "../../widgets/Figures";
import { Icon } from "../../widgets/Icon";
import { Widget } from "../../widgets/Widget";

const LOOKS = {
  up: { tone: "ok", icon: "check" },
  degraded: { tone: "warn", icon: "warning" },
  down: { tone: "crit", icon: "cross" },
} as const;

const ms = (value: number | null | undefined, signed = false): string =>
  value === null || value === undefined ? DASH : `${fixed(value, 1, signed)} ms`;

export function TerminalCard() {
  const terminal = useTerminal();
  const mode = useAccountMode();
  if (!terminal) return null;
  const { state, login, server, host, reason } = linkOf(terminal);
  const { latency_ms, clock_offset_ms, dropped_ticks, waiting_updates } = terminal.metrics;
  const { tone, icon } = LOOKS[state];
  return (
    <Widget title={t("terminal.title")} className="terminal-card">
      <p className={`row ${tone}`} data-testid="terminal-state" data-state={state}>
        <Icon name={icon} size={16} /> <b>{t(`terminal.${state}`)}</b>
        {reason && <span>{reason}</span>}
      </p>
      {state !== "up" && <p className="dim">{t("terminal.no_entries")}</p>}
      <div className="terminal-pairs">
        <dl className="pairs">
          <Pair name={t("terminal.account")}>{login || DASH}</Pair>
          <Pair name={t("terminal.server")}>{server || DASH}</Pair>
          <Pair name={t("terminal.host")}>{host || DASH}</Pair>
          <Pair name={t("terminal.mode")}>{mode ? words(mode) : DASH}</Pair>
        </dl>
        <dl className="pairs">
          <Pair name={t("terminal.since")}>
            <Time us={terminal.since_us} form="short" />
          </Pair>
          <Pair name={t("terminal.latency")}>{ms(latency_ms)}</Pair>
          <Pair name={t("terminal.offset")}>{ms(clock_offset_ms, true)}</Pair>
          <Pair name={t("terminal.dropped")}>{fixed(dropped_ticks, 0)}</Pair>
          <Pair name={t("terminal.waiting")}>{fixed(waiting_updates, 0)}</Pair>
        </dl>
      </div>
    </Widget>
  );
}
