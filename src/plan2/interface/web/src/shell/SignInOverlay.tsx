/** Shown over the page when the session is gone; the page and its state stay where they are. */

import { Button, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { signIn } from "../api/client";
import { useSession } from "../state/session";
import { useStream } from "../stream/react";
import { t } from "../strings";

/** The token of a pasted sign-in address, or the text itself when it is the bare token. */
function tokenOf(text: string): string {
  const found = /[?&]token=([^&\s]+)/.exec(text);
  return found?.[1] ? decodeURIComponent(found[1]) : text.trim();
}

export function SignInOverlay() {
  const isSignedOut = useSession((state) => state.isSignedOut);
  const queries = useQueryClient();
  const client = useStream();
  const [text, setText] = useState("");
  const [hasFailed, setFailed] = useState(false);
  if (!isSignedOut) return null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn(tokenOf(text))
      .then(() => {
        client.connect();
        setText("");
        setFailed(false);
        return queries.invalidateQueries();
      })
      .catch(() => setFailed(true));
  };
  return (
    <div
      className="overlay"
      role="dialog"
      aria-modal="true"
      aria-labelledby="sign-in"
      data-testid="sign-in"
    >
      <form className="overlay-card stack" onSubmit={submit}>
        <h2 id="sign-in">{t("signin.title")}</h2>
        <p className="dim">{t("signin.explain")}</p>
        <TextInput
          size="sm"
          label={t("signin.field")}
          value={text}
          autoFocus
          autoComplete="one-time-code"
          onChange={(event) => setText(event.currentTarget.value)}
          error={hasFailed ? t("signin.failed") : undefined}
        />
        <Button size="sm" type="submit" disabled={text.trim() === ""}>
          {t("signin.submit")}
        </Button>
      </form>
    </div>
  );
}
