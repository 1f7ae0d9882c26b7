/** The bot's token: where the one in use is from, and one that is kept sealed; for operators. */

import { Button, PasswordInput } from "@mantine/core";
import { useState } from "react";
import { type Answer, change } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { tg, tgLabel } from "../../strings/telegram";
import { Widget } from "../../widgets/Widget";

type Token = NonNullable<Answer<"get", "/api/v1/telegram">["token"]>;
type Asking = "keep" | "forget";

/** A number, a colon and a secret, as BotFather writes it; the server looks again. */
const TOKEN = /^\d+:[\w-]{30,}$/;

export function TelegramToken({ token }: { token: Token }) {
  const [asking, setAsking] = useState<Asking | null>(null);
  const close = () => setAsking(null);
  const isFromOutside = token.source === "file" || token.source === "environment";
  return (
    <Widget title={tg("token.title")}>
      <div className="stack narrow" data-testid="telegram-token">
        <p>
          <span className={`chip ${token.source === "" ? "is-warn" : "is-ok"}`}>
            {tgLabel("token.source", token.source === "" ? "none" : token.source)}
          </span>
        </p>
        {isFromOutside && token.is_kept && <p className="dim">{tg("token.both")}</p>}
        <p className="dim">{tg("token.explain")}</p>
        <div className="row wrap">
          <Button size="sm" variant="default" onClick={() => setAsking("keep")}>
            {tg(token.is_kept ? "token.replace" : "token.keep")}
          </Button>
          {token.is_kept && (
            <Button size="sm" variant="default" onClick={() => setAsking("forget")}>
              {tg("token.forget")}
            </Button>
          )}
        </div>
      </div>
      {asking === "keep" && <KeepDialog close={close} />}
      {asking === "forget" && <ForgetDialog close={close} />}
    </Widget>
  );
}

function KeepDialog({ close }: { close: () => void }) {
  const [typed, setTyped] = useState("");
  const token = typed.trim();
  return (
    <AskDialog
      title={tg("token.keep")}
      close={close}
      explain={<p>{tg("token.keep_explain")}</p>}
      confirm={tg("token.keep")}
      done={tg("token.kept")}
      isReady={TOKEN.test(token)}
      run={(key) => change("put", "/api/v1/telegram/token", { body: { token } }, key)}
    >
      <PasswordInput
        label={tg("token.token")}
        description={tg("token.hint")}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        autoComplete="off"
        error={token !== "" && !TOKEN.test(token) ? tg("token.wrong") : undefined}
        data-testid="telegram-token-field"
      />
    </AskDialog>
  );
}

function ForgetDialog({ close }: { close: () => void }) {
  return (
    <AskDialog
      title={tg("token.forget")}
      close={close}
      isRed
      explain={<p>{tg("token.forget_explain")}</p>}
      confirm={tg("token.forget")}
      done={tg("token.forgotten")}
      run={(key) => change("delete", "/api/v1/telegram/token", {}, key)}
    />
  );
}
