/** Pause, resume or halt, with a reason that goes into the audit trail. */

import { Button, Modal, TextInput } from "@mantine/core";
import { useEffect, useState } from "react";
import { t } from "../strings";
import { useCommand } from "./useCommand";

export function CommandDialog({
  command,
  close,
}: {
  command: "pause" | "resume" | "halt";
  close: () => void;
}) {
  const { state, send } = useCommand(command);
  const [reason, setReason] = useState("");
  useEffect(() => {
    if (state.kind === "accepted") close();
  }, [state.kind, close]);
  const needsReason = command === "resume";
  const isReady = state.kind !== "sending" && (!needsReason || reason.trim() !== "");
  const submit = () => send(reason.trim() || t("command.default_reason"));
  return (
    <Modal
      opened
      onClose={close}
      title={<b>{t(`command.${command}`)}</b>}
      closeButtonProps={{ "aria-label": t("dialog.close") }}
    >
      <div className="stack">
        <p>{t(`command.${command}.effect`)}</p>
        <TextInput
          label={t(needsReason ? "dialog.reason_required" : "dialog.reason")}
          value={reason}
          data-autofocus
          onChange={(event) => setReason(event.currentTarget.value)}
          onKeyDown={(event) => event.key === "Enter" && isReady && submit()}
        />
        {state.kind === "refused" && (
          <p role="alert" className="crit">
            {t("command.refused", { message: state.message })}
          </p>
        )}
        {state.kind === "unknown" && (
          <p role="alert" className="warn">
            {t("command.unknown")}
          </p>
        )}
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
