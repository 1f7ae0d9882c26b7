/** Three levers and the kill switch, the way back, and why it may not be open yet. */

import { useTradingState } from "../../api/live";
import { type SwitchCommand, useDialogs } from "../../state/dialogs";
import { useIsPast, usePast } from "../../state/past";
import { label, t } from "../../strings";
import { r } from "../../strings/risk";
import { Icon, type IconName } from "../../widgets/Icon";
import { Widget } from "../../widgets/Widget";
import { spoken } from "../../strings/told";

const LEVERS = [
  { command: "pause", text: "levers.pause", icon: "pause" },
  { command: "reduce-only", text: "levers.reduce", icon: "shrink" },
  { command: "halt", text: "levers.halt", icon: "halt" },
] as const satisfies readonly { command: SwitchCommand; text: string; icon: IconName }[];

export function LeversWidget({ holds }: { holds: string }) {
  const open = useDialogs((state) => state.open);
  const state = useTradingState();
  const isPast = useIsPast();
  const kill = () => {
    usePast.getState().leave();
    open({ kind: "kill" });
  };
  return (
    <Widget title={r("levers.title")} className="area-levers">
      <div className="stack">
        {state && <p>{r("levers.state", { state: label("trading", state).toLowerCase() })}</p>}
        <div className="levers">
          {LEVERS.map(({ command, text, icon }) => (
            <button
              key={command}
              type="button"
              className="ghost-button lever"
              disabled={isPast}
              title={t(`command.${command}.effect`)}
              data-testid={`lever-${command}`}
              onClick={() => open({ kind: "command", command })}
            >
              <Icon name={icon} size={15} /> {r(text)}
            </button>
          ))}
          <button type="button" className="kill-button lever" onClick={kill}>
            <Icon name="kill" size={15} /> {r("levers.kill")}
          </button>
        </div>
        {state && state !== "armed" && (
          <div className="row wrap">
            <button
              type="button"
              className="ghost-button"
              disabled={isPast}
              data-testid="lever-resume"
              onClick={() => open({ kind: "command", command: "resume" })}
            >
              <Icon name="play" size={15} /> {r("levers.resume")}
            </button>
            <span className="dim">{r("levers.resume_needs")}</span>
          </div>
        )}
        {holds && (
          <p className="warn" role="alert">
            {t("arm.holds", { why: "" })}
            <span {...spoken(holds)} />
          </p>
        )}
      </div>
    </Widget>
  );
}
