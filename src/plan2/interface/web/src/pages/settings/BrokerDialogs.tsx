/** What a broker account is asked for: the account itself, and keys for its terminals. */

import { Select, TextInput } from "@mantine/core";
import { useState } from "react";
import { type Answer, change } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { OnceSecret } from "../../asking/OnceSecret";
import { bk, bkLabel } from "../../strings/broker";

type Bound = Answer<"put", "/api/v1/broker-account">;
type Made = Answer<"post", "/api/v1/broker-account/keys">;

const MODES = ["demo", "contest", "real"] as const;
type Mode = (typeof MODES)[number];

export function BindDialog({ needsSecond, close }: { needsSecond: boolean; close: () => void }) {
  const [name, setName] = useState("main");
  const [login, setLogin] = useState("");
  const [server, setServer] = useState("");
  const [mode, setMode] = useState<Mode>("demo");
  return (
    <AskDialog<Bound>
      title={bk("broker.bind")}
      close={close}
      needsReason
      explain={
        <>
          <p>{bk("broker.bind_explain")}</p>
          {needsSecond && <p className="dim">{bk("broker.second")}</p>}
        </>
      }
      confirm={bk("broker.bind")}
      done={({ outcome }) => bk(outcome === "bound" ? "broker.bound" : "broker.proposed")}
      isReady={/^[a-z0-9]{1,16}$/.test(name) && /^\d+$/.test(login) && server !== ""}
      run={(key, reason) =>
        change(
          "put",
          "/api/v1/broker-account",
          { body: { name, login, server, mode, reason } },
          key,
        )
      }
    >
      <TextInput
        label={bk("broker.name")}
        description={bk("broker.name_hint")}
        value={name}
        onChange={(event) => setName(event.currentTarget.value.trim())}
      />
      <TextInput
        label={bk("broker.login")}
        inputMode="numeric"
        value={login}
        onChange={(event) => setLogin(event.currentTarget.value.trim())}
      />
      <TextInput
        label={bk("broker.server")}
        value={server}
        onChange={(event) => setServer(event.currentTarget.value)}
      />
      <Select
        label={bk("broker.mode")}
        value={mode}
        onChange={(value) => setMode((value as Mode | null) ?? "demo")}
        data={MODES.map((value) => ({ value, label: bkLabel("broker.mode", value) }))}
        allowDeselect={false}
      />
    </AskDialog>
  );
}

export function NewKeyDialog({ close }: { close: () => void }) {
  const [label, setLabel] = useState("");
  return (
    <AskDialog<Made>
      title={bk("broker.new_key")}
      close={close}
      explain={<p className="dim">{bk("broker.key_explain")}</p>}
      confirm={bk("broker.new_key")}
      run={(key) => change("post", "/api/v1/broker-account/keys", { body: { label } }, key)}
      after={(made) => (
        <OnceSecret
          title={bk("broker.once")}
          secrets={[made.secret]}
          hint={bk("broker.once_hint")}
          close={close}
        />
      )}
    >
      <TextInput
        label={bk("broker.label")}
        value={label}
        onChange={(event) => setLabel(event.currentTarget.value)}
      />
    </AskDialog>
  );
}
