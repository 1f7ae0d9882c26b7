/** Shown over the page when the session is gone; the page and its state stay where they are. */

import { Button, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ApiProblem, type Credentials, signIn } from "../api/client";
import { CodeField, PasswordField } from "../asking/proofFields";
import { usePreferences } from "../state/preferences";
import { useSession } from "../state/session";
import { useStream } from "../stream/react";
import { t } from "../strings";
import { Segments } from "../widgets/parts";

/** The token of a pasted sign-in address, or the text itself when it is the bare token. */
function tokenOf(text: string): string {
  const found = /[?&]token=([^&\s]+)/.exec(text);
  return found?.[1] ? decodeURIComponent(found[1]) : text.trim();
}

type Way = "password" | "link";

export function SignInOverlay() {
  const isSignedOut = useSession((state) => state.isSignedOut);
  return isSignedOut ? <Overlay /> : null;
}

function Overlay() {
  const [way, setWay] = useState<Way>("password");
  return (
    <div
      className="overlay"
      role="dialog"
      aria-modal="true"
      aria-labelledby="sign-in"
      data-testid="sign-in"
    >
      <div className="overlay-card stack">
        <h2 id="sign-in">{t("signin.title")}</h2>
        <p className="dim">{t("signin.kept")}</p>
        <Segments<Way>
          label={t("signin.way")}
          value={way}
          onChange={setWay}
          options={[
            { value: "password", text: t("signin.by_password") },
            { value: "link", text: t("signin.by_link") },
          ]}
        />
        {way === "password" ? <PasswordForm /> : <LinkForm />}
        <p className="dim">
          <a href="/signin">{t("signin.plain")}</a>
        </p>
      </div>
    </div>
  );
}

/** Signs in and goes on where the page was. */
function useSignIn(): {
  isBusy: boolean;
  fault: string;
  enter: (credentials: Credentials) => void;
} {
  const queries = useQueryClient();
  const client = useStream();
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState("");
  const enter = (credentials: Credentials) => {
    setBusy(true);
    signIn(credentials)
      .then(() => {
        client.connect();
        return queries.invalidateQueries();
      })
      .catch((error: unknown) => {
        setBusy(false);
        const isRefused = error instanceof ApiProblem && "name" in credentials;
        setFault(isRefused ? error.message : t("signin.failed"));
      });
  };
  return { isBusy, fault, enter };
}

function PasswordForm() {
  const { isBusy, fault, enter } = useSignIn();
  const known = usePreferences((state) => state.tenant);
  const [tenant, setTenant] = useState(known);
  const [name, setName] = useState(() => useSession.getState().lastUser);
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    enter({ tenant: tenant.trim(), name: name.trim(), password, code: code.trim() });
  };
  const isReady = !isBusy && tenant.trim() !== "" && name.trim() !== "" && password !== "";
  return (
    <form className="stack" onSubmit={submit}>
      <TextInput
        size="sm"
        label={t("signin.tenant")}
        value={tenant}
        maxLength={64}
        autoComplete="organization"
        autoCapitalize="none"
        onChange={(event) => setTenant(event.currentTarget.value)}
      />
      <TextInput
        size="sm"
        label={t("signin.name")}
        value={name}
        maxLength={128}
        autoComplete="username"
        autoCapitalize="none"
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <PasswordField
        label={t("signin.password")}
        value={password}
        change={setPassword}
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- the overlay is a dialog of its own
        autoFocus
      />
      <CodeField value={code} change={setCode} />
      {fault && (
        <p role="alert" className="crit">
          {fault}
        </p>
      )}
      <Button size="sm" type="submit" disabled={!isReady}>
        {t("signin.submit")}
      </Button>
    </form>
  );
}

function LinkForm() {
  const { isBusy, fault, enter } = useSignIn();
  const [text, setText] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    enter({ token: tokenOf(text) });
  };
  return (
    <form className="stack" onSubmit={submit}>
      <p className="dim">{t("signin.explain")}</p>
      <TextInput
        size="sm"
        label={t("signin.field")}
        value={text}
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- the overlay is a dialog of its own
        autoFocus
        autoComplete="one-time-code"
        onChange={(event) => setText(event.currentTarget.value)}
        error={fault || undefined}
      />
      <Button size="sm" type="submit" disabled={isBusy || text.trim() === ""}>
        {t("signin.submit")}
      </Button>
    </form>
  );
}
