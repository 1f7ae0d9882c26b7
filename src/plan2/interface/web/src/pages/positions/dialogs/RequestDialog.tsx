/** The frame of every dialog that asks for something: fields, reason, what exactly will happen. */

import { Button, Modal, TextInput } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { type ReactNode, useEffect, useState } from "react";
import type { Changing } from "../../../api/client";
import { useAnnouncer } from "../../../state/announcer";
import { t } from "../../../strings";
import { Icon } from "../../../widgets/Icon";
import { Progress } from "./Progress";
import { type FieldName, type Refusal, refusalOf } from "./refusal";
import { type RequestState, useRequest } from "./useRequest";

export type Errors = Partial<Record<FieldName, string>>;

type Props = {
  title: string;
  close: () => void;
  /** What will be sent, given a reason; null while something is missing or wrong. */
  make: (reason: string) => Changing | null;
  /** Fields that the dialog shows: a refusal about one of them stands beside it. */
  fields: readonly FieldName[];
  /** What exactly will happen, in a sentence. */
  summary: ReactNode;
  confirm: string;
  /** What is said once the broker has carried it out. */
  done: string;
  /** Why nothing can be sent at present. */
  blocked?: string;
  isRed?: boolean;
  /** What is written down when no reason is given; without it one must be given. */
  defaultReason?: string;
  children?: (errors: Errors) => ReactNode;
};

const PHONE = "(max-width: 640px)";

export function RequestDialog(props: Props) {
  const { title, close, done } = props;
  const { state, send } = useRequest();
  const announce = useAnnouncer((announcer) => announcer.announce);
  const isPhone = useMediaQuery(PHONE);
  const finish = () => {
    notifications.show({ message: done, autoClose: 5_000, color: "sky" });
    announce(done);
    close();
  };
  return (
    <Modal
      opened
      onClose={close}
      size={520}
      fullScreen={isPhone === true}
      title={<b>{title}</b>}
      closeOnClickOutside={false}
      closeButtonProps={{ "aria-label": t("dialog.close") }}
    >
      {state.kind === "taken" ? (
        <Progress receipt={state.receipt} finish={finish} close={close} />
      ) : (
        <Form {...props} state={state} send={send} />
      )}
    </Modal>
  );
}

type FormProps = Props & { state: RequestState; send: (asked: Changing) => void };

function Form({ state, send, ...props }: FormProps) {
  const [reason, setReason] = useState("");
  const refusal = useRefusal(state);
  const errors: Errors = refusal?.field ? { [refusal.field]: refusal.text } : {};
  const isShown = refusal?.field && [...props.fields, "reason"].includes(refusal.field);
  const asked = props.make(reason.trim() || props.defaultReason || "");
  const needsReason = props.defaultReason === undefined && reason.trim() === "";
  const isReady = asked !== null && !needsReason && !props.blocked && state.kind !== "sending";
  const isLocked = state.kind === "sending" || state.kind === "unknown";
  const submit = () => asked && isReady && send(asked);
  return (
    <form
      className="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <fieldset className="plain stack" disabled={isLocked}>
        {props.children?.(errors)}
        <TextInput
          label={t(props.defaultReason === undefined ? "dialog.reason_required" : "dialog.reason")}
          placeholder={props.defaultReason}
          value={reason}
          maxLength={500}
          error={errors.reason}
          data-testid="trade-reason"
          onChange={(event) => setReason(event.currentTarget.value)}
        />
      </fieldset>
      <p className="summary" data-testid="trade-summary">
        {props.summary}
      </p>
      {props.blocked && <Note tone="warn">{props.blocked}</Note>}
      {refusal && !isShown && <Note tone="crit">{refusal.text}</Note>}
      {state.kind === "unknown" && (
        <Note tone="warn">{`${state.detail} ${t("trade.unknown")}`.trim()}</Note>
      )}
      <div className="row dialog-buttons">
        <Button variant="default" size="sm" onClick={props.close}>
          {t(state.kind === "unknown" ? "dialog.close" : "dialog.cancel")}
        </Button>
        <Button
          type="submit"
          size="sm"
          color={props.isRed ? "red" : "sky"}
          disabled={!isReady}
          data-testid="trade-confirm"
        >
          {confirmText(state, props.confirm)}
        </Button>
      </div>
    </form>
  );
}

function confirmText(state: RequestState, confirm: string): string {
  if (state.kind === "sending") return t("dialog.sending");
  return state.kind === "unknown" ? t("trade.again") : confirm;
}

/** What was refused, read to a screen reader when it arrives. */
function useRefusal(state: RequestState): Refusal | null {
  const announce = useAnnouncer((announcer) => announcer.announce);
  const refusal = state.kind === "refused" ? refusalOf(state.problem) : null;
  const text = refusal?.text ?? "";
  useEffect(() => {
    if (text) announce(t("command.refused", { message: text }));
  }, [text, announce]);
  return refusal;
}

export function Note({ tone, children }: { tone: "warn" | "crit" | "dim"; children: ReactNode }) {
  return (
    <div className={`note is-${tone}`} role={tone === "dim" ? undefined : "alert"}>
      {tone !== "dim" && <Icon name="warning" size={15} />}
      <span>{children}</span>
    </div>
  );
}
