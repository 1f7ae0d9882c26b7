/** Who I am here, and my password. */

import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { type FormEvent, useState } from "react";
import { loadSession, signOut } from "../../api/client";
import { change } from "../../api/typed";
import { PasswordField } from "../../asking/proofFields";
import { Refusal } from "../../asking/Refusal";
import { useAsking } from "../../asking/useAsking";
import { useSession } from "../../state/session";
import { t } from "../../strings";
import { a, named } from "../../strings/admin";
import { Pair, Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";

export function ProfileSection() {
  const session = useSession((state) => state.session);
  return (
    <>
      <Widget
        title={a("profile.title")}
        state={session ? { kind: "ready" } : { kind: "loading" }}
        actions={
          <button type="button" className="ghost-button" onClick={() => void signOut()}>
            {t("prefs.sign_out")}
          </button>
        }
      >
        {session && (
          <dl className="pairs is-left">
            <Pair name={t("signin.name")}>{session.user}</Pair>
            <Pair name={a("field.role")}>
              {named("role", session.role)}
              {session.is_operator && ` · ${a("role.operator")}`}
            </Pair>
            <Pair name={t("signin.tenant")}>{session.tenant}</Pair>
            <Pair name={a("field.user_id")}>
              <span className="mono">{session.user_id}</span>
            </Pair>
            <Pair name={a("profile.until")}>
              <Time us={session.expires_us} form="full" />
            </Pair>
          </dl>
        )}
      </Widget>
      <PasswordWidget hasPassword={session?.has_password ?? true} />
    </>
  );
}

const LENGTH_MIN = 15;

/** What is wrong with a new password as far as this page can tell; "" is nothing. */
export function passwordFault(fresh: string, again: string): string {
  if (fresh === "") return "";
  if (fresh.length < LENGTH_MIN) return a("password.short", { count: LENGTH_MIN });
  return again !== "" && again !== fresh ? a("password.differs") : "";
}

function PasswordWidget({ hasPassword }: { hasPassword: boolean }) {
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const [again, setAgain] = useState("");
  const done = () => {
    setOld("");
    setFresh("");
    setAgain("");
    notifications.show({ message: a("password.done"), autoClose: 5_000, color: "sky" });
    void loadSession();
  };
  const asking = useAsking(
    (key) => change("put", "/api/v1/password", { body: { old, new: fresh } }, key),
    done,
  );
  const fault = passwordFault(fresh, again);
  const isReady = fault === "" && fresh !== "" && fresh === again && (old !== "" || !hasPassword);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isReady) asking.send();
  };
  return (
    <Widget title={a("password.title")}>
      <form className="stack narrow" onSubmit={submit} onChange={asking.forget}>
        <p className="dim">{a(hasPassword ? "password.explain" : "password.none")}</p>
        {hasPassword && <PasswordField label={a("password.old")} value={old} change={setOld} />}
        <PasswordField
          label={a("password.new")}
          value={fresh}
          change={setFresh}
          autoComplete="new-password"
          error={fault === a("password.differs") ? undefined : fault || undefined}
        />
        <PasswordField
          label={a("password.again")}
          value={again}
          change={setAgain}
          autoComplete="new-password"
          error={fault === a("password.differs") ? fault : undefined}
        />
        <Refusal state={asking.state} />
        <div>
          <Button size="sm" type="submit" disabled={!isReady || asking.state.kind === "sending"}>
            {asking.state.kind === "sending" ? t("dialog.sending") : a("password.set")}
          </Button>
        </div>
      </form>
    </Widget>
  );
}
