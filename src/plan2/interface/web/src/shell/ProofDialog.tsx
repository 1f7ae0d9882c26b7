/** Asks the person to show again who they are, before something weighty is done. */

import { Button, Modal } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { ApiProblem, prove } from "../api/client";
import { CodeField, PasswordField } from "../asking/proofFields";
import { useProof } from "../state/proof";
import { useSession } from "../state/session";
import { t } from "../strings";

export function ProofDialog() {
  const isAsked = useProof((state) => state.isAsked);
  return isAsked ? <Dialog /> : null;
}

function Dialog() {
  const answer = useProof((state) => state.answer);
  const user = useSession((state) => state.session?.user ?? "");
  const hasPassword = useSession((state) => state.session?.has_password ?? true);
  const hasFactor = useSession((state) => state.session?.has_second_factor ?? false);
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [isSending, setSending] = useState(false);
  const [fault, setFault] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setSending(true);
    prove(password, code.replaceAll(/\s/g, ""))
      .then(() => answer(true))
      .catch((error: unknown) => {
        setSending(false);
        setFault(error instanceof ApiProblem ? error.message : t("proof.failed"));
      });
  };
  return (
    <Modal
      opened
      onClose={() => answer(false)}
      title={<b>{t("proof.title")}</b>}
      closeOnClickOutside={false}
    >
      <form className="stack" onSubmit={submit} data-testid="proof">
        <p className="dim">
          {hasFactor
            ? t("proof.explain_code")
            : hasPassword
              ? t("proof.explain")
              : t("proof.no_password", { name: user })}
        </p>
        {/* For password managers, which fill a password beside its name. */}
        <input type="text" hidden readOnly value={user} autoComplete="username" />
        {!hasFactor && (
          <PasswordField
            label={t("signin.password")}
            value={password}
            change={setPassword}
            data-autofocus
            data-testid="proof-password"
          />
        )}
        <CodeField
          value={code}
          change={setCode}
          data-autofocus={hasFactor || undefined}
          data-testid="proof-code"
        />
        {fault && (
          <p role="alert" className="crit">
            {fault}
          </p>
        )}
        <div className="row dialog-buttons">
          <Button variant="default" size="sm" onClick={() => answer(false)}>
            {t("dialog.cancel")}
          </Button>
          <Button
            size="sm"
            type="submit"
            disabled={isSending || (password === "" && code.trim() === "")}
            data-testid="proof-confirm"
          >
            {t(isSending ? "dialog.sending" : "proof.confirm")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
