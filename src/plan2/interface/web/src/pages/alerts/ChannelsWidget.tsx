/** Mailboxes and webhooks: how each is, a test message, and new ones. */

import { Select, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { type Channel, type Channels, useChannels } from "../../api/alerts";
import { type Answer, change } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { Note } from "../../asking/Note";
import { OnceSecret } from "../../asking/OnceSecret";
import { Refusal } from "../../asking/Refusal";
import { useAsking } from "../../asking/useAsking";
import { useAnnouncer } from "../../state/announcer";
import { al } from "../../strings/alerts";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { spoken } from "../../strings/told";

type Open = { kind: "new" } | { kind: "remove"; name: string } | null;
type Told = { name: string; found: Answer<"post", "/api/v1/alerts/channels/{name}/test"> };
type Made = Answer<"post", "/api/v1/alerts/channels">;
const TEST_WITHIN_MS = 40_000;

export function ChannelsWidget({ canTest, canChange }: { canTest: boolean; canChange: boolean }) {
  const [open, setOpen] = useState<Open>(null);
  const query = useChannels();
  const items = query.data?.items ?? [];
  const announce = useAnnouncer((announcer) => announcer.announce);
  const testing = useAsking<Told, string>(
    async (key, name) => ({
      name,
      found: await change(
        "post",
        "/api/v1/alerts/channels/{name}/test",
        { path: { name } },
        key,
        TEST_WITHIN_MS,
      ),
    }),
    ({ name, found }) => {
      const said = found.is_delivered
        ? al("channels.delivered", { name })
        : al("channels.failed", { name, detail: found.detail });
      notifications.show({ message: said, color: found.is_delivered ? "sky" : "red" });
      announce(said);
    },
  );
  const state = widgetState(query, {
    isEmpty: items.length === 0,
    title: al("channels.none"),
    hint: al("channels.none_hint"),
  });
  const close = () => setOpen(null);
  return (
    <>
      <Widget
        title={al("channels.title")}
        state={state}
        isFlush
        actions={
          canChange && (
            <button
              type="button"
              className="ghost-button"
              data-testid="new-channel"
              onClick={() => setOpen({ kind: "new" })}
            >
              {al("channels.new")}
            </button>
          )
        }
      >
        <Refusal state={testing.state} />
        <DataTable
          label={al("channels.title")}
          items={items}
          keyOf={(channel) => channel.name}
          columns={columns(
            canTest ? (name) => testing.send(name) : undefined,
            canChange ? (name) => setOpen({ kind: "remove", name }) : undefined,
          )}
        />
      </Widget>
      {open?.kind === "new" && query.data && <NewChannel known={query.data} close={close} />}
      {open?.kind === "remove" && (
        <AskDialog
          title={al("channels.remove")}
          close={close}
          isRed
          explain={<p>{al("channels.remove_explain", { name: open.name })}</p>}
          confirm={al("channels.remove")}
          done={al("channels.removed")}
          run={(key) =>
            change("delete", "/api/v1/alerts/channels/{name}", { path: { name: open.name } }, key)
          }
        />
      )}
    </>
  );
}

function columns(
  test: ((name: string) => void) | undefined,
  remove: ((name: string) => void) | undefined,
): Column<Channel>[] {
  return [
    {
      key: "name",
      title: al("channels.name"),
      role: "lead",
      cell: (channel) => channel.name,
      sortBy: (channel) => channel.name,
    },
    {
      key: "way",
      title: al("channels.way"),
      cell: (channel) => al(channel.way === "email" ? "channels.email" : "channels.webhook"),
    },
    {
      key: "status",
      title: al("history.state"),
      cell: ({ status }) => (
        <span className={`chip ${status === "ok" ? "is-ok" : "is-warn"}`}>
          {al(status === "ok" ? "channels.works" : "channels.failing")}
        </span>
      ),
    },
    {
      key: "detail",
      title: "",
      role: "wide",
      cell: ({ status, detail }) =>
        status === "ok" ? null : <span className="dim alert-words" {...spoken(detail)} />,
    },
    {
      key: "actions",
      title: "",
      role: "wide",
      cell: ({ name }) => (
        <span className="row-actions">
          {test && (
            <button type="button" className="ghost-button" onClick={() => test(name)}>
              {al("channels.test")}
            </button>
          )}
          {remove && (
            <button type="button" className="ghost-button" onClick={() => remove(name)}>
              {al("channels.remove")}
            </button>
          )}
        </span>
      ),
    },
  ];
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/;
type Way = "email" | "webhook";

function NewChannel({ known, close }: { known: Channels; close: () => void }) {
  const [name, setName] = useState("");
  const [way, setWay] = useState<Way>("webhook");
  const [target, setTarget] = useState("");
  const isReady = NAME.test(name) && target.trim().length >= 3;
  return (
    <AskDialog<Made>
      title={al("channels.new")}
      close={close}
      explain={
        <>
          <p className="dim">{al("channels.explain")}</p>
          {way === "email" && !known.has_mail_server && (
            <Note tone="warn">{al("channels.no_server")}</Note>
          )}
        </>
      }
      confirm={al("channels.add")}
      isReady={isReady}
      run={(key) =>
        change(
          "post",
          "/api/v1/alerts/channels",
          { body: { name, way, target: target.trim() } },
          key,
        )
      }
      after={(made) => <Added made={made} close={close} />}
    >
      <Select
        size="sm"
        label={al("channels.way")}
        data={(["webhook", "email"] as const).map((value) => ({
          value,
          label: al(`channels.${value}`),
        }))}
        value={way}
        allowDeselect={false}
        onChange={(value) => setWay(value === "email" ? "email" : "webhook")}
      />
      <TextInput
        size="sm"
        label={al("channels.name")}
        description={al("channels.name_hint")}
        value={name}
        maxLength={32}
        data-testid="channel-name"
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <TextInput
        size="sm"
        label={al(way === "email" ? "channels.address" : "channels.url")}
        value={target}
        maxLength={2_000}
        data-testid="channel-target"
        onChange={(event) => setTarget(event.currentTarget.value)}
      />
    </AskDialog>
  );
}

function Added({ made, close }: { made: Made; close: () => void }) {
  if (!made.secret)
    return (
      <p role="status" data-testid="channel-added">
        {al("channels.added")}
      </p>
    );
  return (
    <OnceSecret
      title={al("channels.secret", { name: made.name })}
      secrets={[made.secret]}
      hint={al("channels.secret_hint")}
      close={close}
    />
  );
}
