/** The frame of every dialog of the administration: what happens, fields, reason, answer. */

import { Button, Modal, TextInput } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { type ReactNode, useState } from "react";
import { useAnnouncer } from "../state/announcer";
import { useProof } from "../state/proof";
import { t } from "../strings";
import { Refusal } from "./Refusal";
import { useAsking } from "./useAsking";

type Props<Told> = {
  title: string;
  close: () => void;
  /** What exactly will happen. */
  explain: ReactNode;
  confirm: string;
  run: (key: string, reason: string) => Promise<Told>;
  /** What is said when it is done; "" where `after` shows it. */
  done?: string;
  /** Shown in place of the form once it is done; without it the dialog closes. */
  after?: (told: Told, close: () => void) => ReactNode;
  /** Whether the fields are good enough to send. */
  isReady?: boolean;
  isRed?: boolean;
  /** Whether a reason has to be given. */
  needsReason?: boolean;
  children?: ReactNode;
};

const PHONE = "(max-width: 640px)";

export function AskDialog<Told>(props: Props<Told>) {
  const { title, close, after } = props;
  const [told, setTold] = useState<{ value: Told } | null>(null);
  const isProofAsked = useProof((state) => state.isAsked);
  const isPhone = useMediaQuery(PHONE);
  return (
    <Modal
      opened
      onClose={close}
      size={520}
      fullScreen={isPhone === true}
      title={<b>{title}</b>}
      closeOnClickOutside={false}
      // Escape in the dialog above this one must not close both; a secret is not lost by a key.
      closeOnEscape={!isProofAsked && told === null}
      closeButtonProps={{ "aria-label": t("dialog.close") }}
    >
      {told && after ? (
        after(told.value, close)
      ) : (
        <Form {...props} keep={(value) => setTold({ value })} />
      )}
    </Modal>
  );
}

function Form<Told>(props: Props<Told> & { keep: (told: Told) => void }) {
  const [reason, setReason] = useState("");
  const announce = useAnnouncer((announcer) => announcer.announce);
  const finish = (told: Told) => {
    if (props.after) return props.keep(told);
    if (props.done) {
      notifications.show({ message: props.done, autoClose: 5_000, color: "sky" });
      announce(props.done);
    }
    return props.close();
  };
  const { state, send, forget } = useAsking((key) => props.run(key, reason.trim()), finish);
  const lacksReason = props.needsReason === true && reason.trim() === "";
  const isSure = props.isReady !== false && !lacksReason;
  const canSend = state.kind === "unknown" || (isSure && state.kind !== "sending");
  return (
    <form
      className="stack"
      noValidate
      onChange={forget}
      onSubmit={(event) => {
        event.preventDefault();
        if (canSend) send();
      }}
    >
      <div className="stack">{props.explain}</div>
      <fieldset
        className="plain stack"
        disabled={state.kind === "sending" || state.kind === "unknown"}
      >
        {props.children}
        {props.needsReason && (
          <TextInput
            size="sm"
            label={t("dialog.reason_required")}
            value={reason}
            maxLength={500}
            data-testid="ask-reason"
            onChange={(event) => setReason(event.currentTarget.value)}
          />
        )}
      </fieldset>
      <Refusal state={state} />
      <div className="row dialog-buttons">
        {lacksReason && <span className="dim lack">{t("trade.reason_lacks")}</span>}
        <Button variant="default" size="sm" onClick={props.close}>
          {t(state.kind === "unknown" ? "dialog.close" : "dialog.cancel")}
        </Button>
        <Button
          type="submit"
          size="sm"
          color={props.isRed ? "red" : "sky"}
          disabled={!canSend}
          data-testid="ask-confirm"
        >
          {state.kind === "sending"
            ? t("dialog.sending")
            : state.kind === "unknown"
              ? t("trade.again")
              : props.confirm}
        </Button>
      </div>
    </form>
  );
}
