/** Telegram: how the bot is, pairing a chat by code, whose chats are paired, how messages come. */

import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { Link } from "wouter";
import { useTelegram } from "../../api/admin";
import { type Answer, change } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { Note } from "../../asking/Note";
import { Refusal } from "../../asking/Refusal";
import { useAsking } from "../../asking/useAsking";
import { useAnnouncer } from "../../state/announcer";
import { has, useSession } from "../../state/session";
import { tg, tgLabel, type TelegramKey } from "../../strings/telegram";
import "../../styles/telegram.css";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Time } from "../../widgets/Figures";
import { Segments } from "../../widgets/parts";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { spoken } from "../../strings/told";
import { TelegramToken } from "./TelegramToken";

type Telegram = Answer<"get", "/api/v1/telegram">;
type Chat = Telegram["chats"][number];
type Kind = Telegram["kinds"][number];
type Code = Answer<"post", "/api/v1/telegram/codes">;
type Whose = "own" | "all";

export function TelegramSection() {
  const session = useSession((state) => state.session);
  const [whose, setWhose] = useState<Whose>("own");
  const [isPairing, setPairing] = useState(false);
  const [ending, setEnding] = useState<Chat | null>(null);
  const query = useTelegram(whose === "all");
  const telegram = query.data;
  const chats = telegram?.chats ?? [];
  const state = widgetState(query, {
    isEmpty: chats.length === 0,
    title: tg("telegram.none"),
    hint: tg("telegram.none_hint"),
  });
  return (
    <>
      <Widget title={tg("telegram.title")} state={widgetState(query)}>
        {telegram && <Standing telegram={telegram} pair={() => setPairing(true)} />}
      </Widget>
      {telegram?.token && <TelegramToken token={telegram.token} />}
      <Widget
        title={tg("telegram.chats")}
        state={state}
        isFlush
        actions={
          has(session, "administrator") && (
            <Segments<Whose>
              label={tg("telegram.whose")}
              value={whose}
              onChange={setWhose}
              options={[
                { value: "own", text: tg("telegram.own") },
                { value: "all", text: tg("telegram.everyones") },
              ]}
            />
          )
        }
      >
        <DataTable
          label={tg("telegram.chats")}
          items={chats}
          keyOf={(chat) => chat.pairing_id}
          columns={chatColumns(setEnding)}
        />
      </Widget>
      {telegram && (
        <Widget title={tg("telegram.kinds")} isFlush>
          <DataTable
            label={tg("telegram.kinds")}
            items={telegram.kinds}
            keyOf={({ kind }) => kind}
            columns={kindColumns()}
          />
          <p className="dim telegram-hint">{tg("telegram.kinds_hint")}</p>
        </Widget>
      )}
      {isPairing && <PairDialog close={() => setPairing(false)} />}
      {ending && <UnpairDialog chat={ending} close={() => setEnding(null)} />}
    </>
  );
}

function Standing({ telegram, pair }: { telegram: Telegram; pair: () => void }) {
  const announce = useAnnouncer((announcer) => announcer.announce);
  const testing = useAsking(
    (key) => change("post", "/api/v1/telegram/test", {}, key),
    ({ is_sent }) => {
      const said = tg(is_sent ? "telegram.test_sent" : "telegram.test_none");
      notifications.show({ message: said, autoClose: 5_000, color: "sky" });
      announce(said);
    },
  );
  if (!telegram.is_enabled) {
    return (
      <div className="stack narrow">
        <p>
          <span className="chip">{tg("telegram.off")}</span>
        </p>
        <p className="dim">{tg("telegram.off_hint")}</p>
      </div>
    );
  }
  return (
    <div className="stack narrow">
      <p>
        {telegram.is_well ? (
          <span className="chip is-ok">{tg("telegram.on", { bot: telegram.bot })}</span>
        ) : (
          <span className="chip is-warn">{tg("telegram.trouble")}</span>
        )}
      </p>
      {!telegram.is_well && (
        <Note tone="warn">
          <span {...spoken(telegram.detail)} />
        </Note>
      )}
      <p className="dim">{tg("telegram.explain")}</p>
      {!telegram.agrees && (
        <Note tone="warn">
          {tg("telegram.agree")} <Link href="/settings/privacy">{tg("telegram.privacy")}</Link>
        </Note>
      )}
      <Refusal state={testing.state} />
      <div className="row wrap">
        <Button size="sm" onClick={pair} data-testid="telegram-pair">
          {tg("telegram.pair")}
        </Button>
        <Button
          variant="default"
          size="sm"
          disabled={testing.state.kind === "sending"}
          onClick={() => testing.send()}
        >
          {tg("telegram.test")}
        </Button>
      </div>
    </div>
  );
}

function PairDialog({ close }: { close: () => void }) {
  return (
    <AskDialog<Code>
      title={tg("telegram.pair")}
      close={close}
      explain={<p>{tg("telegram.pair_explain")}</p>}
      confirm={tg("telegram.show")}
      run={(key) => change("post", "/api/v1/telegram/codes", { body: {} }, key)}
      after={(code) => <Shown code={code} close={close} />}
    />
  );
}

function Shown({ code, close }: { code: Code; close: () => void }) {
  return (
    <div className="stack">
      <p>{tg("telegram.scan")}</p>
      <img className="qr" src={code.qr_data_uri} alt={tg("telegram.qr")} />
      <p>
        <a href={code.link} target="_blank" rel="noreferrer">
          {tg("telegram.open")}
        </a>
      </p>
      <p className="dim">
        {tg("telegram.by_hand")}{" "}
        <span className="mono break" data-testid="telegram-code">
          /start {code.code}
        </span>
      </p>
      <p className="dim">
        {tg("telegram.until")} <Time us={code.expires_us} form="full" />
      </p>
      <div className="row dialog-buttons">
        <Button size="sm" onClick={close} data-autofocus>
          {tg("telegram.done")}
        </Button>
      </div>
    </div>
  );
}

function UnpairDialog({ chat, close }: { chat: Chat; close: () => void }) {
  const path = { pairing_id: chat.pairing_id };
  return (
    <AskDialog
      title={tg("telegram.unpair")}
      close={close}
      isRed
      explain={
        <>
          <p className="summary">
            {chat.user} · {chat.label}
          </p>
          <p className="dim">{tg("telegram.unpair_explain")}</p>
        </>
      }
      confirm={tg("telegram.unpair")}
      done={tg("telegram.unpaired")}
      run={(key) => change("delete", "/api/v1/telegram/chats/{pairing_id}", { path }, key)}
    />
  );
}

const chatColumns = (end: (chat: Chat) => void): Column<Chat>[] => [
  { key: "user", title: tg("telegram.person"), cell: (chat) => chat.user },
  { key: "label", title: tg("telegram.label"), cell: (chat) => chat.label },
  {
    key: "since",
    title: tg("telegram.since"),
    cell: (chat) => <Time us={chat.paired_us} form="short" />,
    sortBy: (chat) => chat.paired_us,
  },
  {
    key: "end",
    title: "",
    align: "right",
    cell: (chat) => (
      <button type="button" className="ghost-button" onClick={() => end(chat)}>
        {tg("telegram.unpair")}
      </button>
    ),
  },
];

const kindColumns = (): Column<Kind>[] => [
  { key: "title", title: tg("telegram.kind"), cell: ({ kind }) => tgLabel("kind", kind) },
  {
    key: "loudness",
    title: tg("telegram.comes"),
    cell: (kind) => tg(`telegram.loudness.${kind.loudness}` as TelegramKey),
  },
];
