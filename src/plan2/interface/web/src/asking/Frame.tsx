/** The window and the buttons of every dialog that asks for something. */

import { Button, Modal } from "@mantine/core";
import type { ReactNode } from "react";
import { useProof } from "../state/proof";
import { t } from "../strings";
import { useIsPhone } from "../widgets/phone";
import type { AskState } from "./useAsking";

type FrameProps = {
  title: string;
  close: () => void;
  /** Whether it stays on Escape, as what it shows is not shown again. */
  isHeld?: boolean;
  children: ReactNode;
};

export function Frame({ title, close, isHeld = false, children }: FrameProps) {
  const isProofAsked = useProof((state) => state.isAsked);
  return (
    <Modal
      opened
      onClose={close}
      size={520}
      fullScreen={useIsPhone()}
      title={<b>{title}</b>}
      closeOnClickOutside={false}
      // Escape in the dialog above this one must not close both; a secret is not lost by a key.
      closeOnEscape={!isProofAsked && !isHeld}
    >
      {children}
    </Modal>
  );
}

/** What may have been sent can always be sent again: it has no second effect. */
export const canSend = ({ kind }: AskState, isReady: boolean): boolean =>
  kind === "unknown" || (isReady && kind !== "sending");

type ButtonsProps = {
  state: AskState;
  close: () => void;
  confirm: string;
  isRed?: boolean;
  /** Whether the fields are good enough to send. */
  isReady: boolean;
  /** What is still missing, said beside the button that waits for it. */
  lack: string;
  testId: string;
};

export function Buttons({ state, close, confirm, isRed, isReady, lack, testId }: ButtonsProps) {
  const isUnknown = state.kind === "unknown";
  return (
    <div className="row dialog-buttons">
      {lack && <span className="dim lack">{lack}</span>}
      <Button variant="default" size="sm" onClick={close}>
        {t(isUnknown ? "dialog.close" : "dialog.cancel")}
      </Button>
      <Button
        type="submit"
        size="sm"
        color={isRed ? "red" : "sky"}
        disabled={!canSend(state, isReady)}
        data-testid={testId}
      >
        {state.kind === "sending" ? t("dialog.sending") : isUnknown ? t("trade.again") : confirm}
      </Button>
    </div>
  );
}
