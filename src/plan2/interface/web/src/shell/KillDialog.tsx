/**
 * The kill switch: halt, cancel, close. Goes over REST, so it works with the stream down.
 *
 * Focus starts on Cancel; it takes holding the button for 1.5 s, or typing the word.
 */

import { Button, Modal, TextInput } from "@mantine/core";
import { useState } from "react";
import { useOpenPositions } from "../api/live";
import { t } from "../strings";
import { HoldButton } from "./HoldButton";
import { type CommandState, useCommand } from "./useCommand";

export function KillDialog({ close }: { close: () => void }) {
  const { state, send } = useCommand("kill");
  const isDone = state.kind === "accepted";
  return (
    <Modal
      opened
      onClose={close}
      title={<b>{t("kill.title")}</b>}
      role="alertdialog"
      closeButtonProps={{ "aria-label": t("dialog.close") }}
    >
      <div className="stack">
        {isDone ? (
          <Progress />
        ) : (
          <Confirm isSending={state.kind === "sending"} send={send} close={close} />
        )}
        <Answer state={state} />
        {isDone && (
          <Button variant="default" size="sm" onClick={close}>
            {t("dialog.close")}
          </Button>
        )}
      </div>
    </Modal>
  );
}

type ConfirmProps = { isSending: boolean; send: (reason: string) => void; close: () => void };

function Confirm({ isSending, send, close }: ConfirmProps) {
  const [word, setWord] = useState("");
  const [reason, setReason] = useState("");
  const positions = useOpenPositions();
  const isTyped = word.trim().toUpperCase() === t("kill.word");
  const kill = () => send(reason.trim() || t("kill.default_reason"));
  return (
    <>
      <p>{t("kill.explain")}</p>
      <ol className="steps">
        <li>1. {t("kill.step_halt")}</li>
        <li>2. {t("kill.step_cancel")}</li>
        <li>3. {t("kill.step_close", { count: positions?.length ?? "?" })}</li>
      </ol>
      <TextInput
        label={t("dialog.reason")}
        placeholder={t("kill.default_reason")}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <TextInput
        label={t("kill.type_word", { word: t("kill.word") })}
        value={word}
        autoComplete="off"
        onChange={(event) => setWord(event.currentTarget.value)}
        onKeyDown={(event) => event.key === "Enter" && isTyped && kill()}
      />
      <div className="row">
        <Button variant="default" size="sm" h={40} onClick={close} data-autofocus>
          {t("dialog.cancel")}
        </Button>
        <HoldButton isInstant={isTyped} isBusy={isSending} onDone={kill}>
          {t(isSending ? "dialog.sending" : isTyped ? "kill.now" : "kill.hold")}
        </HoldButton>
      </div>
    </>
  );
}

function Answer({ state }: { state: CommandState }) {
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

/** What is still open, counted down live. */
function Progress() {
  const positions = useOpenPositions();
  return (
    <div className="steps" role="status" data-testid="kill-progress">
      <span className="ok">✓ {t("kill.halted")}</span>
      {positions === undefined && <span>{t("kill.positions_unknown")}</span>}
      {positions?.length === 0 && <span className="ok">✓ {t("kill.flat")}</span>}
      {positions?.map((position) => (
        <span key={position.position_id} className="warn">
          … {t("kill.closing", { symbol: position.symbol, quantity: position.quantity.toFixed(2) })}
        </span>
      ))}
    </div>
  );
}
