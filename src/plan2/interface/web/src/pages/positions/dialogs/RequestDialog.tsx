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
  const { state, send, forget } = useRequest();
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
        <Form {...props} state={state} send={send} forget={forget} />
      )}
    </Modal>
  );
}

type FormProps = Props & {
  state: RequestState;
  send: (asked: Changing | null) => void;
  forget: () => void;
};

function Form({ state, send, forget, ...props }: FormProps) {
  const [reason, setReason] = useState("");
  const refusal = useRefusal(state);
  const errors = errorsOf(refusal, props.fields);
  const given = reason.trim() || props.defaultReason || "";
  const asked = props.make(given);
  const isReady = asked !== null && given !== "" && !props.blocked;
  const isLocked = state.kind === "sending" || state.kind === "unknown";
  const submit = () => {
    if (canSend(state, isReady)) send(asked);
  };
  return (
    <form
      className="stack"
      noValidate
      onChange={forget}
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
      {errors.form && <Note tone="crit">{errors.form}</Note>}
      <Buttons
        {...props}
        state={state}
        isReady={canSend(state, isReady)}
        lack={asked !== null && given === "" ? t("trade.reason_lacks") : ""}
      />
    </form>
  );
}

/** The refusal beside its field, or under `form` when the dialog does not show that one. */
function errorsOf(
  refusal: Refusal | null,
  fields: readonly FieldName[],
): Errors & { form?: string } {
  if (!refusal) return {};
  const { field, text } = refusal;
  return field && (field === "reason" || fields.includes(field))
    ? { [field]: text }
    : { form: text };
}

type ButtonsProps = Pick<Props, "close" | "confirm" | "isRed"> & {
  state: RequestState;
  isReady: boolean;
  /** What is still missing, said beside the button that waits for it. */
  lack: string;
};

function Buttons({ close, confirm, isRed, state, isReady, lack }: ButtonsProps) {
  const isUnknown = state.kind === "unknown";
  return (
    <>
      {isUnknown && <Note tone="warn">{`${state.detail} ${t("trade.unknown")}`.trim()}</Note>}
      <div className="row dialog-buttons">
        {lack && <span className="dim lack">{lack}</span>}
        <Button variant="default" size="sm" onClick={close}>
          {t(isUnknown ? "dialog.close" : "dialog.cancel")}
        </Button>
        <Button
          type="submit"
          size="sm"
          color={isRed ? "red" : "sky"}
          disabled={!isReady}
          data-testid="trade-confirm"
        >
          {confirmText(state, confirm)}
        </Button>
      </div>
    </>
  );
}

/** What may have been sent can always be sent again: it has no second effect. */
const canSend = (state: RequestState, isReady: boolean): boolean =>
  state.kind === "unknown" || (isReady && state.kind !== "sending");

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
