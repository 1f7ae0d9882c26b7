/**
 * The kill switch: halt, withdraw, close. Goes over REST, so it works with the stream down.
 *
 * Focus starts on Cancel; it takes holding the button for 1.5 s, or typing the word.
 */

import { Button, Modal, Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import { useOpenPositions } from "../api/live";
import { useNameOf } from "../api/people";
import { useTrading } from "../api/queries";
import { lots } from "../format/numbers";
import type { CommandBody } from "../gen/protocol";
import { t } from "../strings";
import { Answer } from "./CommandDialog";
import { HoldButton } from "./HoldButton";
import { isNamed, type Scope, ScopeFields, WHOLE_ACCOUNT } from "./ScopeFields";
import { useCommand } from "./useCommand";

export function KillDialog({ close }: { close: () => void }) {
  const { state, send } = useCommand("kill");
  const isDone = state.kind === "accepted";
  return (
    <Modal opened onClose={close} title={<b>{t("kill.title")}</b>} role="alertdialog">
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

type ConfirmProps = { isSending: boolean; send: (body: CommandBody) => void; close: () => void };

function Confirm({ isSending, send, close }: ConfirmProps) {
  const [word, setWord] = useState("");
  const [reason, setReason] = useState("");
  const [scope, setScope] = useState<Scope>(WHOLE_ACCOUNT);
  const [isForeignToo, setForeignToo] = useState(false);
  const isTyped = word.trim().toUpperCase() === t("kill.word");
  const kill = () =>
    send({
      ...scope,
      reason: reason.trim() || t("kill.default_reason"),
      mode: "",
      closes_foreign: isForeignToo,
    });
  return (
    <>
      <p>{t("kill.explain")}</p>
      <Steps scope={scope} isForeignToo={isForeignToo} />
      <ScopeFields value={scope} change={setScope} />
      <Switch
        label={t("kill.foreign")}
        checked={isForeignToo}
        data-testid="kill-foreign"
        onChange={(event) => setForeignToo(event.currentTarget.checked)}
      />
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
        onKeyDown={(event) => event.key === "Enter" && isTyped && isNamed(scope) && kill()}
      />
      <div className="row">
        <Button variant="default" size="sm" h={40} onClick={close} data-autofocus>
          {t("dialog.cancel")}
        </Button>
        <HoldButton isInstant={isTyped} isBusy={isSending || !isNamed(scope)} onDone={kill}>
          {t(isSending ? "dialog.sending" : isTyped ? "kill.now" : "kill.hold")}
        </HoldButton>
      </div>
    </>
  );
}

/** What will be done, in the order in which it is done. */
function Steps({ scope, isForeignToo }: { scope: Scope; isForeignToo: boolean }) {
  const positions = useOpenPositions();
  const meant = positions?.filter(
    (position) => scope.scope !== "symbol" || position.symbol === scope.target,
  );
  const steps = [
    t("kill.step_halt"),
    t("kill.step_cancel"),
    t("kill.step_close", { count: scope.scope === "flow" ? "?" : (meant?.length ?? "?") }),
    ...(isForeignToo ? [t("kill.step_foreign")] : []),
    t("kill.step_again"),
  ];
  return (
    <ol className="steps">
      {steps.map((step, index) => (
        <li key={step}>
          {index + 1}. {step}
        </li>
      ))}
    </ol>
  );
}

/** What is still to be done, counted down live. */
function Progress() {
  const { data, dataUpdatedAt } = useTrading();
  const positions = useOpenPositions();
  const nameOf = useNameOf();
  const [since] = useState(() => Date.now());
  // An answer of before the kill knows nothing of it.
  const kills =
    dataUpdatedAt <= since ? undefined : data?.accounts.flatMap((account) => account.kills);
  return (
    <div className="steps" role="status" data-testid="kill-progress">
      <span className="ok">✓ {t("kill.halted")}</span>
      {positions === undefined && <span>{t("kill.positions_unknown")}</span>}
      {positions?.length === 0 && <span className="ok">✓ {t("kill.flat")}</span>}
      {positions?.map((position) => (
        <span key={position.position_id} className="warn">
          … {t("kill.closing", { symbol: position.symbol, quantity: lots(position.quantity) })}
        </span>
      ))}
      {kills?.length === 0 && <span className="ok">✓ {t("kill.done")}</span>}
      {kills?.map((kill) => (
        <span key={`${kill.scope} ${kill.target}`} className="warn">
          …{" "}
          {t("kill.working", {
            actor: nameOf(kill.actor),
            what: `${t(`scope.${kill.scope}`)} ${kill.target}`.trim(),
          })}
        </span>
      ))}
    </div>
  );
}
