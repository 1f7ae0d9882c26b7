/** Keys for programs: mine, and for administrators everybody's of the tenant. */

import { Select, Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import { useKeys, useUsers } from "../../api/admin";
import { type Answer, change, type Item } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { OnceSecret } from "../../asking/OnceSecret";
import { useRight } from "../../state/session";
import { a, named } from "../../strings/admin";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";

type Key = Item<"/api/v1/keys">;
type Issued = Answer<"post", "/api/v1/keys">;
type Open = { kind: "new" } | { kind: "end"; item: Key } | null;

const TONES: Record<string, string> = { good: "is-ok", expired: "is-warn", revoked: "", dead: "" };

export function KeysSection() {
  const isAdministrator = useRight("administrator");
  const [isAll, setAll] = useState(false);
  const [open, setOpen] = useState<Open>(null);
  const query = useKeys(isAll);
  const keys = query.data?.items ?? [];
  const state = widgetState(query, {
    isEmpty: keys.length === 0,
    title: a("keys.none"),
    hint: a("keys.none_hint"),
  });
  return (
    <>
      <Widget
        title={a("section.keys")}
        state={state}
        isFlush
        actions={
          <span className="row">
            {isAdministrator && (
              <Switch
                size="xs"
                label={a("keys.all")}
                checked={isAll}
                onChange={(event) => setAll(event.currentTarget.checked)}
              />
            )}
            <button
              type="button"
              className="ghost-button"
              data-testid="new-key"
              onClick={() => setOpen({ kind: "new" })}
            >
              {a("keys.new")}
            </button>
          </span>
        }
      >
        <DataTable
          label={a("section.keys")}
          items={keys}
          keyOf={(key) => key.key_id}
          columns={columns(isAll, (item) => setOpen({ kind: "end", item }))}
        />
      </Widget>
      {open?.kind === "new" && <NewKey close={() => setOpen(null)} />}
      {open?.kind === "end" && (
        <AskDialog
          title={a("keys.end")}
          close={() => setOpen(null)}
          isRed
          explain={<p>{a("keys.end_explain", { label: open.item.label })}</p>}
          confirm={a("keys.end")}
          done={a("keys.ended")}
          run={(key) =>
            change("delete", "/api/v1/keys/{key_id}", { path: { key_id: open.item.key_id } }, key)
          }
        />
      )}
    </>
  );
}

function columns(isAll: boolean, end: (key: Key) => void): Column<Key>[] {
  const owner: Column<Key>[] = isAll
    ? [
        {
          key: "user",
          title: a("field.person"),
          cell: (key) => key.user,
          sortBy: (key) => key.user,
        },
      ]
    : [];
  return [
    {
      key: "label",
      title: a("keys.label"),
      role: "lead",
      cell: (key) => key.label,
      sortBy: (key) => key.label,
    },
    ...owner,
    {
      key: "prefix",
      title: a("keys.begins"),
      cell: (key) => <span className="mono">{key.prefix}…</span>,
    },
    {
      key: "scopes",
      title: a("keys.may"),
      cell: (key) => key.scopes.map((scope) => named("scope", scope)).join(", "),
    },
    {
      key: "networks",
      title: a("keys.networks"),
      cell: (key) => key.networks.join(", ") || a("keys.anywhere"),
    },
    {
      key: "used",
      title: a("keys.used"),
      cell: (key) => <Time us={key.last_used_us} form="short" />,
      sortBy: (key) => key.last_used_us ?? 0,
    },
    {
      key: "expires",
      title: a("field.expires"),
      cell: (key) => <Time us={key.expires_us} form="short" />,
      sortBy: (key) => key.expires_us,
    },
    {
      key: "state",
      title: a("field.state"),
      cell: (key) => (
        <span className={`chip ${TONES[key.state] ?? ""}`} title={key.why || undefined}>
          {named("key_state", key.state)}
        </span>
      ),
    },
    {
      key: "actions",
      title: "",
      role: "wide",
      cell: (key) =>
        key.state === "good" ? (
          <span className="row-actions">
            <button type="button" className="ghost-button" onClick={() => end(key)}>
              {a("keys.end")}
            </button>
          </span>
        ) : null,
    },
  ];
}

const SCOPES = ["read", "trade"] as const;
type ScopeName = (typeof SCOPES)[number];

const DAYS = ["7", "30", "90", "180", "365"] as const;

/** Networks as typed: separated by commas or spaces. */
export const networksOf = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

function NewKey({ close }: { close: () => void }) {
  const [label, setLabel] = useState("");
  const [scopes, setScopes] = useState<readonly ScopeName[]>(["read"]);
  const [days, setDays] = useState("90");
  const [networks, setNetworks] = useState("");
  const [user, setUser] = useState("");
  const body = {
    label: label.trim(),
    scopes: [...scopes],
    days: Number(days),
    networks: networksOf(networks),
    user_id: user,
  };
  return (
    <AskDialog<Issued>
      title={a("keys.new")}
      close={close}
      explain={<p className="dim">{a("keys.explain")}</p>}
      confirm={a("keys.make")}
      isReady={body.label !== "" && scopes.length > 0}
      run={(key) => change("post", "/api/v1/keys", { body }, key)}
      after={(issued) => (
        <OnceSecret
          title={a("keys.once", { label: issued.item.label })}
          secrets={[issued.key]}
          hint={a("keys.once_hint")}
          close={close}
        />
      )}
    >
      <TextInput
        size="sm"
        label={a("keys.label")}
        description={a("keys.label_hint")}
        value={label}
        maxLength={64}
        data-autofocus
        data-testid="key-label"
        onChange={(event) => setLabel(event.currentTarget.value)}
      />
      <fieldset className="plain stack">
        <legend>{a("keys.may")}</legend>
        {SCOPES.map((scope) => (
          <Switch
            key={scope}
            label={a(`scope.${scope}_long`)}
            checked={scopes.includes(scope)}
            data-testid={`scope-${scope}`}
            onChange={(event) =>
              setScopes(
                event.currentTarget.checked
                  ? [...scopes, scope]
                  : scopes.filter((one) => one !== scope),
              )
            }
          />
        ))}
      </fieldset>
      <Select
        size="sm"
        label={a("keys.days")}
        data={DAYS.map((value) => ({ value, label: a("keys.for_days", { count: value }) }))}
        value={days}
        allowDeselect={false}
        onChange={(value) => setDays(value ?? "90")}
      />
      <TextInput
        size="sm"
        label={a("keys.networks_from")}
        description={a("keys.networks_hint")}
        value={networks}
        maxLength={500}
        onChange={(event) => setNetworks(event.currentTarget.value)}
      />
      <Owner value={user} change={setUser} />
    </AskDialog>
  );
}

/** Administrators may make keys for users that are programs. */
function Owner({ value, change: choose }: { value: string; change: (id: string) => void }) {
  const isAdministrator = useRight("administrator");
  return isAdministrator ? <OwnerSelect value={value} change={choose} /> : null;
}

function OwnerSelect({ value, change: choose }: { value: string; change: (id: string) => void }) {
  const { data } = useUsers();
  const programs = (data?.items ?? []).filter((user) => user.role === "API_User");
  if (programs.length === 0) return null;
  return (
    <Select
      size="sm"
      label={a("keys.for")}
      placeholder={a("keys.for_me")}
      data={programs.map((user) => ({ value: user.user_id, label: user.name }))}
      value={value || null}
      clearable
      onChange={(id) => choose(id ?? "")}
    />
  );
}
