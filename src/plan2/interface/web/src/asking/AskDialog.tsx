/** The frame of every dialog of the administration: what happens, fields, reason, answer. */

import { TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { type ReactNode, useState } from "react";
import { useAnnouncer } from "../state/announcer";
import { t } from "../strings";
import { a } from "../strings/admin";
import { Buttons, canSend, Frame } from "./Frame";
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
  done?: string | ((told: Told) => string);
  /** Names of the queries that are asked again; the administration's when it is left out. */
  changed?: readonly string[];
  /** Shown in place of the form once it is done; without it the dialog closes. */
  after?: (told: Told, close: () => void) => ReactNode;
  /** Whether the fields are good enough to send. */
  isReady?: boolean;
  isRed?: boolean;
  /** What has to be typed before it can be sent, where it cannot be undone. */
  word?: string;
  /** Whether a reason has to be given. */
  needsReason?: boolean;
  children?: ReactNode;
};

export function AskDialog<Told>(props: Props<Told>) {
  const { title, close, after } = props;
  const [told, setTold] = useState<{ value: Told } | null>(null);
  return (
    <Frame title={title} close={close} isHeld={told !== null}>
      {told && after ? (
        after(told.value, close)
      ) : (
        <Form {...props} keep={(value) => setTold({ value })} />
      )}
    </Frame>
  );
}

function Form<Told>(props: Props<Told> & { keep: (told: Told) => void }) {
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  const announce = useAnnouncer((announcer) => announcer.announce);
  const finish = (told: Told) => {
    if (props.after) return props.keep(told);
    const said = typeof props.done === "function" ? props.done(told) : props.done;
    if (said) {
      notifications.show({ message: said, autoClose: 5_000, color: "sky" });
      announce(said);
    }
    return props.close();
  };
  const { state, send, forget } = useAsking(
    (key) => props.run(key, reason.trim()),
    finish,
    props.changed,
  );
  const lacksReason = props.needsReason === true && reason.trim() === "";
  const isSure = props.word === undefined || typed.trim() === props.word;
  const isReady = props.isReady !== false && isSure && !lacksReason;
  return (
    <form
      className="stack"
      noValidate
      onChange={forget}
      onSubmit={(event) => {
        event.preventDefault();
        if (canSend(state, isReady)) send();
      }}
    >
      <div className="stack">{props.explain}</div>
      <fieldset
        className="plain stack"
        disabled={state.kind === "sending" || state.kind === "unknown"}
      >
        {props.children}
        {props.word !== undefined && (
          <TextInput
            size="sm"
            label={a("word.type_to_confirm", { word: props.word })}
            value={typed}
            autoComplete="off"
            data-testid="ask-word"
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        )}
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
      <Buttons
        state={state}
        close={props.close}
        confirm={props.confirm}
        isRed={props.isRed}
        isReady={isReady}
        lack={lacksReason ? t("trade.reason_lacks") : ""}
        testId="ask-confirm"
      />
    </form>
  );
}
