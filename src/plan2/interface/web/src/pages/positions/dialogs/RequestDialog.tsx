/** The frame of every dialog that asks for something: fields, reason, what exactly will happen. */

import { TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { type ReactNode, useEffect, useState } from "react";
import type { Changing } from "../../../api/client";
import { Buttons, canSend, Frame } from "../../../asking/Frame";
import { Note } from "../../../asking/Note";
import type { AskState } from "../../../asking/useAsking";
import { useAnnouncer } from "../../../state/announcer";
import { t } from "../../../strings";
import { Progress } from "./Progress";
import { type FieldName, type Refusal, refusalOf } from "./refusal";
import { useRequest } from "./useRequest";

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

export function RequestDialog(props: Props) {
  const { title, close, done } = props;
  const { state, receipt, send, forget } = useRequest();
  const announce = useAnnouncer((announcer) => announcer.announce);
  const finish = () => {
    notifications.show({ message: done, autoClose: 5_000, color: "sky" });
    announce(done);
    close();
  };
  return (
    <Frame title={title} close={close}>
      {receipt ? (
        <Progress receipt={receipt} finish={finish} close={close} />
      ) : (
        <Form {...props} state={state} send={send} forget={forget} />
      )}
    </Frame>
  );
}

type FormProps = Props & {
  state: AskState;
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
      {state.kind === "unknown" && (
        <Note tone="warn">{`${state.detail} ${t("trade.unknown")}`.trim()}</Note>
      )}
      <Buttons
        state={state}
        close={props.close}
        confirm={props.confirm}
        isRed={props.isRed}
        isReady={isReady}
        lack={asked !== null && given === "" ? t("trade.reason_lacks") : ""}
        testId="trade-confirm"
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

/** What was refused, read to a screen reader when it arrives. */
function useRefusal(state: AskState): Refusal | null {
  const announce = useAnnouncer((announcer) => announcer.announce);
  const refusal = state.kind === "refused" ? refusalOf(state.problem) : null;
  const text = refusal?.text ?? "";
  useEffect(() => {
    if (text) announce(t("command.refused", { message: text }));
  }, [text, announce]);
  return refusal;
}
