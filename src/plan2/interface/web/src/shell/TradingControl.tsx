/** Shows whether trading is armed and offers to change it. */

import { Menu } from "@mantine/core";
import { useTradingState } from "../api/live";
import type { TradingState } from "../gen/protocol";
import { type SwitchCommand, useDialogs } from "../state/dialogs";
import { useIsPast } from "../state/past";
import { label, t } from "../strings";
import { Icon, type IconName } from "../widgets/Icon";

const ICONS: Record<TradingState, IconName> = {
  armed: "play",
  paused: "pause",
  reduce_only: "shrink",
  halted: "halt",
};
/** Also when trading is armed as a whole, one symbol or flow may be what has to be resumed. */
const OFFERED: Record<TradingState, readonly SwitchCommand[]> = {
  armed: ["pause", "reduce-only", "halt", "resume"],
  paused: ["resume", "reduce-only", "halt"],
  reduce_only: ["resume", "halt"],
  halted: ["resume"],
};
const COMMAND_ICONS = {
  pause: "pause",
  resume: "play",
  "reduce-only": "shrink",
  halt: "halt",
} as const;

export function TradingControl() {
  const state = useTradingState();
  const open = useDialogs((dialogs) => dialogs.open);
  const isPast = useIsPast();
  if (!state) return null;
  return (
    <Menu position="bottom-end" width={290}>
      <Menu.Target>
        <button
          type="button"
          className={`state-button is-${state}`}
          data-testid="trading-state"
          data-state={state}
          disabled={isPast}
        >
          <Icon name={ICONS[state]} size={15} /> {label("trading", state)}{" "}
          <Icon name="chevronDown" size={13} />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {OFFERED[state].map((command) => (
          <Menu.Item
            key={command}
            leftSection={<Icon name={COMMAND_ICONS[command]} size={15} />}
            onClick={() => open({ kind: "command", command })}
          >
            {t(`command.${command}`)}
            <div className="dim" style={{ fontSize: 11 }}>
              {t(`command.${command}.effect`)}
            </div>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
