/** In the status strip: whether the broker can be reached, where there is one. */

import { useTerminal } from "../api/orders";
import { linkOf } from "../api/terminal";
import { t } from "../strings";
import { said } from "../strings/told";

const TONES = { up: "", degraded: "warn", down: "crit" } as const;

export function TerminalLink() {
  const terminal = useTerminal();
  if (!terminal) return null;
  const { state, reason } = linkOf(terminal);
  return (
    <span title={said(reason || terminal.detail)} data-testid="terminal-link" data-state={state}>
      {t("terminal.title")}{" "}
      <b className={TONES[state]}>
        {t(`terminal.${state}`)}
        {state !== "up" && reason ? ` · ${reason}` : ""}
      </b>
    </span>
  );
}
