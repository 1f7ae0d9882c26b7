/** Pause, exits only, halt or resume, with a reason that goes into the audit trail. */

import { Button, Modal, TextInput } from "@mantine/core";
import { useEffect, useState } from "react";
import { useTrading } from "../api/queries";
import type { AccountSwitches } from "../gen/protocol";
import type { SwitchCommand } from "../state/dialogs";
import { t } from "../strings";
import { isNamed, type Scope, ScopeFields, WHOLE_ACCOUNT } from "./ScopeFields";
import { type CommandState, useCommand } from "./useCommand";
import { said } from "../strings/told";

type Props = { command: SwitchCommand; close: () => void };

export function CommandDialog({ command, close }: Props) {
  const { state, send } = useCommand(command);
  const [reason, setReason] = useState("");
  const [scope, setScope] = useState<Scope>(WHOLE_ACCOUNT);
  const [typed, setTyped] = useState("");
  const armed = useArmed(command, scope);
  useEffect(() => {
    if (state.kind === "accepted") close();
  }, [state.kind, close]);
  const needsReason = command === "resume";
  const isReady =
    state.kind !== "sending" &&
    isNamed(scope) &&
    (!needsReason || reason.trim() !== "") &&
    (!armed || typed.trim() === armed.mode);
  const submit = () =>
    send({
      ...scope,
      account_id: armed?.account_id ?? scope.account_id,
      reason: reason.trim() || t("command.default_reason"),
      mode: armed ? armed.mode : "",
      closes_foreign: false,
    });
  return (
    <Modal opened onClose={close} title={<b>{t(`command.${command}`)}</b>}>
      <div className="stack">
        <p>{t(`command.${command}.effect`)}</p>
        <TextInput
          label={t(needsReason ? "dialog.reason_required" : "dialog.reason")}
          value={reason}
          data-autofocus
          onChange={(event) => setReason(event.currentTarget.value)}
          onKeyDown={(event) => event.key === "Enter" && isReady && submit()}
        />
        <ScopeFields value={scope} change={setScope} />
        {needsReason && <Holds />}
        {armed && (
          <TextInput
            label={t("arm.mode", { mode: armed.mode, account: armed.account_id })}
            value={typed}
            autoComplete="off"
            data-testid="arm-mode"
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        )}
        <Answer state={state} />
        <div className="row" style={{ justifyContent: "flex-end" }}>
          <Button variant="default" size="sm" onClick={close}>
            {t("dialog.cancel")}
          </Button>
          <Button size="sm" disabled={!isReady} onClick={submit} data-testid="command-confirm">
            {t(state.kind === "sending" ? "dialog.sending" : `command.${command}`)}
          </Button>
        </div>
      </div>
    </Modal>
  );
}

/** The account whose mode has to be typed to arm it: one that holds somebody's money. */
function useArmed(
  command: SwitchCommand,
  { scope, account_id }: Scope,
): AccountSwitches | undefined {
  const { data } = useTrading();
  if (command !== "resume" || scope !== "account") return undefined;
  const meant = (data?.accounts ?? []).filter(
    (account) => account_id === "" || account.account_id === account_id,
  );
  return meant.find((account) => account.needs_mode);
}

function Holds() {
  const { data } = useTrading();
  const held = data?.accounts.find((account) => account.holds !== "");
  if (!held) return null;
  return (
    <p role="alert" className="warn">
      {t("arm.holds", { why: said(held.holds) })}
    </p>
  );
}

/** What the server said to a command that was not taken. */
export function Answer({ state }: { state: CommandState }) {
  if (state.kind === "refused")
    return (
      <p role="alert" className="crit">
        {t("command.refused", { message: state.message })}
      </p>
    );
  if (state.kind === "unknown")
    return (
      <p role="alert" className="warn">
        {t("command.unknown")}
      </p>
    );
  return null;
}
