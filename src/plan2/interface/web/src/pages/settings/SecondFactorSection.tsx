/** The second factor: setting it up, its backup codes, taking it away. */

import { Button, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { loadSession } from "../../api/client";
import { useSecondFactor } from "../../api/admin";
import { type Answer, change } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { Note } from "../../asking/Note";
import { OnceSecret } from "../../asking/OnceSecret";
import { Refusal } from "../../asking/Refusal";
import { useAsking } from "../../asking/useAsking";
import { t } from "../../strings";
import { a } from "../../strings/admin";
import { Pair, Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";

type Open = "enrol" | "codes" | "remove" | null;
type Enrolment = Answer<"post", "/api/v1/second-factor">;
type Codes = Answer<"post", "/api/v1/second-factor/backup-codes">;

export function SecondFactorSection() {
  const query = useSecondFactor();
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  const factor = query.data;
  return (
    <>
      <Widget title={a("section.factor")} state={widgetState(query)}>
        {factor && (
          <div className="stack narrow">
            <p>
              {factor.is_enrolled ? (
                <span className="chip is-ok">{a("factor.on")}</span>
              ) : (
                <span className={`chip ${factor.must_enrol ? "is-crit" : "is-warn"}`}>
                  {a("factor.off")}
                </span>
              )}
            </p>
            <p className="dim">{a("factor.explain")}</p>
            {factor.must_enrol && <Note tone="crit">{a("factor.must")}</Note>}
            {factor.is_enrolled && (
              <dl className="pairs is-left">
                <Pair name={a("factor.since")}>
                  <Time us={factor.since_us} form="full" />
                </Pair>
                <Pair name={a("factor.codes_left")}>
                  <span className={factor.backup_codes_left < 3 ? "warn" : ""}>
                    {factor.backup_codes_left}
                  </span>
                </Pair>
              </dl>
            )}
            <div className="row wrap">
              <Button size="sm" onClick={() => setOpen("enrol")} data-testid="factor-begin">
                {a(factor.is_enrolled ? "factor.again" : "factor.begin")}
              </Button>
              {factor.is_enrolled && (
                <>
                  <Button variant="default" size="sm" onClick={() => setOpen("codes")}>
                    {a("factor.new_codes")}
                  </Button>
                  <Button variant="default" size="sm" onClick={() => setOpen("remove")}>
                    {a("factor.remove")}
                  </Button>
                </>
              )}
            </div>
          </div>
        )}
      </Widget>
      {open === "enrol" && <EnrolDialog close={close} />}
      {open === "codes" && <CodesDialog close={close} />}
      {open === "remove" && (
        <AskDialog
          title={a("factor.remove")}
          close={close}
          isRed
          explain={<p>{a("factor.remove_explain")}</p>}
          confirm={a("factor.remove")}
          done={a("factor.removed")}
          run={(key) => change("delete", "/api/v1/second-factor", {}, key)}
        />
      )}
    </>
  );
}

function EnrolDialog({ close }: { close: () => void }) {
  return (
    <AskDialog<Enrolment>
      title={a("factor.begin")}
      close={close}
      explain={<p>{a("factor.begin_explain")}</p>}
      confirm={a("factor.show")}
      run={(key) => change("post", "/api/v1/second-factor", {}, key)}
      after={(enrolment) => <Confirm enrolment={enrolment} close={close} />}
    />
  );
}

const CODE = /^\d{6}$/;

function Confirm({ enrolment, close }: { enrolment: Enrolment; close: () => void }) {
  const [text, setText] = useState("");
  const queries = useQueryClient();
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const code = text.replaceAll(/\s/g, "");
  const asking = useAsking(
    (key) => change("post", "/api/v1/second-factor/confirm", { body: { code } }, key),
    (told) => {
      setCodes(told.backup_codes);
      // Where the role demanded it, everything else is open now.
      void loadSession().then(() => queries.invalidateQueries());
    },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (CODE.test(code)) asking.send();
  };
  if (codes) return <BackupCodes codes={codes} close={close} />;
  return (
    <form className="stack" onSubmit={submit} onChange={asking.forget}>
      <p>{a("factor.scan")}</p>
      <img className="qr" src={enrolment.qr_data_uri} alt={a("factor.qr")} />
      <p className="dim">
        {a("factor.by_hand")}{" "}
        <span className="mono break" data-testid="factor-secret">
          {enrolment.secret}
        </span>
      </p>
      <TextInput
        size="sm"
        label={a("factor.code")}
        value={text}
        maxLength={12}
        inputMode="numeric"
        autoComplete="one-time-code"
        data-testid="factor-code"
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Refusal state={asking.state} />
      <div className="row dialog-buttons">
        <Button variant="default" size="sm" onClick={close}>
          {t("dialog.cancel")}
        </Button>
        <Button
          size="sm"
          type="submit"
          disabled={!CODE.test(code) || asking.state.kind === "sending"}
          data-testid="factor-confirm"
        >
          {a("factor.confirm")}
        </Button>
      </div>
    </form>
  );
}

function CodesDialog({ close }: { close: () => void }) {
  return (
    <AskDialog<Codes>
      title={a("factor.new_codes")}
      close={close}
      explain={<p>{a("factor.new_codes_explain")}</p>}
      confirm={a("factor.new_codes")}
      run={(key) => change("post", "/api/v1/second-factor/backup-codes", {}, key)}
      after={(told) => <BackupCodes codes={told.backup_codes} close={close} />}
    />
  );
}

function BackupCodes({ codes, close }: { codes: readonly string[]; close: () => void }) {
  return (
    <OnceSecret
      title={a("factor.codes")}
      secrets={codes}
      hint={a("factor.codes_hint")}
      close={close}
    />
  );
}
