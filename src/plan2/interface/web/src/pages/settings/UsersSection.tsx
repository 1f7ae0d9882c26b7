/** The people of the tenant: invite, role, block, reset; each with what it means. */

import { Menu, Select, Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import { useUsers } from "../../api/admin";
import { type Answer, change, type Item } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { OnceSecret } from "../../asking/OnceSecret";
import { useSession } from "../../state/session";
import { a, named, type Role, ROLES } from "../../strings/admin";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Time } from "../../widgets/Figures";
import { Icon } from "../../widgets/Icon";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { EraseDialog } from "./EraseDialog";

type User = Item<"/api/v1/users">;
type Invitation = Answer<"post", "/api/v1/users">;
const DEEDS = ["role", "rename", "block", "unblock", "reset", "operator", "erase"] as const;
type Deed = (typeof DEEDS)[number];
type Open = { kind: "invite" } | { kind: Deed; user: User } | null;

const TONES: Record<string, string> = { active: "is-ok", invited: "is-accent", blocked: "is-crit" };

export function UsersSection() {
  const query = useUsers();
  const [open, setOpen] = useState<Open>(null);
  const users = query.data?.items ?? [];
  const state = widgetState(query, {
    isEmpty: users.length === 0,
    title: a("users.none"),
    hint: a("users.none_hint"),
  });
  const close = () => setOpen(null);
  return (
    <>
      <Widget
        title={a("section.users")}
        state={state}
        isFlush
        actions={
          <button
            type="button"
            className="ghost-button"
            data-testid="invite"
            onClick={() => setOpen({ kind: "invite" })}
          >
            {a("users.invite")}
          </button>
        }
      >
        <DataTable
          label={a("section.users")}
          items={users}
          keyOf={(user) => user.user_id}
          columns={columns((kind, user) => setOpen({ kind, user }))}
        />
      </Widget>
      {open?.kind === "invite" && <InviteDialog close={close} />}
      {open && open.kind !== "invite" && (
        <DeedDialog deed={open.kind} user={open.user} close={close} />
      )}
    </>
  );
}

function columns(act: (deed: Deed, user: User) => void): Column<User>[] {
  return [
    {
      key: "name",
      title: a("field.name"),
      role: "lead",
      cell: (user) => user.name,
      sortBy: (user) => user.name,
    },
    {
      key: "role",
      title: a("field.role"),
      cell: (user) => (
        <span className="row">
          {named("role", user.role)}
          {user.is_operator && <span className="chip is-violet">{a("role.operator")}</span>}
        </span>
      ),
      sortBy: (user) => user.role,
    },
    {
      key: "state",
      title: a("field.state"),
      cell: (user) => (
        <span className={`chip ${TONES[user.state] ?? ""}`}>{named("user_state", user.state)}</span>
      ),
      sortBy: (user) => user.state,
    },
    {
      key: "factor",
      title: a("section.factor"),
      cell: (user) => a(user.has_second_factor ? "word.yes" : "word.no"),
    },
    {
      key: "created",
      title: a("field.created"),
      cell: (user) => <Time us={user.created_us} form="short" />,
      sortBy: (user) => user.created_us,
    },
    {
      key: "actions",
      title: "",
      role: "wide",
      cell: (user) => <Actions user={user} act={(deed) => act(deed, user)} />,
    },
  ];
}

function Actions({ user, act }: { user: User; act: (deed: Deed) => void }) {
  const isOperator = useSession((state) => state.session?.is_operator ?? false);
  const deeds = DEEDS.filter(
    (deed) =>
      (deed !== "operator" || isOperator) &&
      deed !== (user.state === "blocked" ? "block" : "unblock"),
  );
  return (
    <span className="row-actions">
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <button
            type="button"
            className="icon-button"
            aria-label={a("users.menu", { name: user.name })}
          >
            <Icon name="dots" size={16} />
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          {deeds.map((deed) => (
            <Menu.Item key={deed} onClick={() => act(deed)}>
              {deed === "operator" && user.is_operator
                ? a("users.no_operator")
                : a(`users.${deed}`)}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </span>
  );
}

function RoleSelect({ value, choose }: { value: Role; choose: (role: Role) => void }) {
  return (
    <Select
      size="sm"
      label={a("field.role")}
      description={a(`role.${value}.help`)}
      data={ROLES.map((role) => ({ value: role, label: named("role", role) }))}
      value={value}
      allowDeselect={false}
      onChange={(role) => choose((role ?? value) as Role)}
    />
  );
}

function linkOf(invitation: Invitation, close: () => void) {
  // A program has nothing to join with: it gets a key.
  if (invitation.link === "")
    return <p className="ok">{a("users.program", { name: invitation.name })}</p>;
  return (
    <OnceSecret
      title={a("users.link", { name: invitation.name })}
      secrets={[invitation.link]}
      hint={a("users.link_hint")}
      close={close}
    />
  );
}

function InviteDialog({ close }: { close: () => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("Analyst");
  const body = { name: name.trim(), role };
  return (
    <AskDialog<Invitation>
      title={a("users.invite")}
      close={close}
      explain={<p className="dim">{a("users.invite_explain")}</p>}
      confirm={a("users.invite_confirm")}
      isReady={body.name !== ""}
      run={(key) => change("post", "/api/v1/users", { body }, key)}
      after={linkOf}
    >
      <TextInput
        size="sm"
        label={a("field.name")}
        description={a("users.name_hint")}
        value={name}
        maxLength={64}
        autoCapitalize="none"
        data-autofocus
        data-testid="invite-name"
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <RoleSelect value={role} choose={setRole} />
    </AskDialog>
  );
}

type DeedProps = { deed: Deed; user: User; close: () => void };

function DeedDialog({ deed, user, close }: DeedProps) {
  if (deed === "erase") return <EraseDialog user={user} close={close} />;
  if (deed === "reset") return <ResetDialog user={user} close={close} />;
  return <ChangeDialog deed={deed} user={user} close={close} />;
}

function ResetDialog({ user, close }: { user: User; close: () => void }) {
  const [takesFactor, setTakesFactor] = useState(false);
  const given = { path: { user_id: user.user_id }, body: { second_factor: takesFactor } };
  return (
    <AskDialog<Invitation>
      title={a("users.reset")}
      close={close}
      explain={<p>{a("users.reset_explain", { name: user.name })}</p>}
      confirm={a("users.reset_confirm")}
      run={(key) => change("post", "/api/v1/users/{user_id}/reset", given, key)}
      after={linkOf}
    >
      <Switch
        label={a("users.reset_factor")}
        checked={takesFactor}
        onChange={(event) => setTakesFactor(event.currentTarget.checked)}
      />
    </AskDialog>
  );
}

function ChangeDialog({ deed, user, close }: DeedProps) {
  const [role, setRole] = useState<Role>(user.role as Role);
  const [name, setName] = useState(user.name);
  const bodies = {
    role: { role },
    rename: { name: name.trim() },
    block: { blocked: true },
    unblock: { blocked: false },
    operator: { operator: !user.is_operator },
  };
  const kind = deed as keyof typeof bodies;
  const isSame =
    (kind === "role" && role === user.role) ||
    (kind === "rename" && (name.trim() === user.name || name.trim() === ""));
  const title = kind === "operator" && user.is_operator ? "users.no_operator" : `users.${kind}`;
  const key = title as "users.no_operator" | `users.${typeof kind}`;
  return (
    <AskDialog
      title={`${a(key)}: ${user.name}`}
      close={close}
      isRed={kind === "block"}
      explain={<p>{a(`${key}_explain`, { name: user.name })}</p>}
      confirm={a(key)}
      done={a("users.done", { name: user.name })}
      isReady={!isSame}
      run={(requestKey) =>
        change(
          "patch",
          "/api/v1/users/{user_id}",
          { path: { user_id: user.user_id }, body: bodies[kind] },
          requestKey,
        )
      }
    >
      {kind === "role" && <RoleSelect value={role} choose={setRole} />}
      {kind === "rename" && (
        <TextInput
          size="sm"
          label={a("field.name")}
          value={name}
          maxLength={64}
          data-autofocus
          onChange={(event) => setName(event.currentTarget.value)}
        />
      )}
    </AskDialog>
  );
}
