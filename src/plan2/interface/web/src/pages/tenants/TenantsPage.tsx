/** Every tenant of the installation, for those who run it. */

import { TextInput } from "@mantine/core";
import { useState } from "react";
import { useLocation } from "wouter";
import { useTenants } from "../../api/admin";
import { type Answer, change, type Item } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { Note } from "../../asking/Note";
import { t, words } from "../../strings";
import { a } from "../../strings/admin";
import "../../styles/admin.css";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { usePageTitle } from "../usePageTitle";
import { invitationOf } from "./invitation";
import { TenantDetail } from "./TenantDetail";
import { tenantTone } from "./tones";

type Tenant = Item<"/api/v1/tenants">;
type Made = Answer<"post", "/api/v1/tenants">;

export function TenantsPage({ id }: { id: string }) {
  usePageTitle(t("page.tenants"));
  const [, navigate] = useLocation();
  const [isNew, setNew] = useState(false);
  const query = useTenants();
  const tenants = query.data?.items ?? [];
  const chosen = tenants.find((tenant) => tenant.tenant_id === id);
  const state = widgetState(query, {
    isEmpty: tenants.length === 0,
    title: a("tenants.none"),
    hint: a("tenants.none_hint"),
  });
  return (
    <div className="page-tenants" data-testid="page-tenants">
      <h1 className="sr-only">{t("page.tenants")}</h1>
      <Widget
        title={t("page.tenants")}
        state={state}
        isFlush
        actions={
          <button
            type="button"
            className="ghost-button"
            data-testid="new-tenant"
            onClick={() => setNew(true)}
          >
            {a("tenants.new")}
          </button>
        }
      >
        <DataTable
          label={t("page.tenants")}
          items={tenants}
          keyOf={(tenant) => tenant.tenant_id}
          selected={id}
          onOpen={(tenant) => navigate(`/tenants/${tenant.tenant_id}`)}
          columns={columns()}
        />
      </Widget>
      {chosen && <TenantDetail tenant={chosen} />}
      {id !== "" && query.data && !chosen && (
        <Note tone="warn">{a("tenants.unknown", { id })}</Note>
      )}
      {isNew && <NewTenant close={() => setNew(false)} />}
    </div>
  );
}

const columns = (): Column<Tenant>[] => [
  {
    key: "name",
    title: a("field.name"),
    role: "lead",
    cell: (tenant) => (
      <span className="row wrap">
        {tenant.name || tenant.tenant_id}
        {tenant.is_main && <span className="chip">{a("tenants.main")}</span>}
      </span>
    ),
    sortBy: (tenant) => tenant.name,
  },
  {
    key: "id",
    title: a("field.tenant_id"),
    cell: (tenant) => <span className="mono">{tenant.tenant_id}</span>,
    sortBy: (tenant) => tenant.tenant_id,
  },
  {
    key: "state",
    title: a("field.state"),
    cell: (tenant) => (
      <span className={`chip ${tenantTone(tenant.state)}`}>{words(tenant.state)}</span>
    ),
    sortBy: (tenant) => tenant.state,
  },
  {
    key: "work",
    title: a("tenants.work"),
    cell: (tenant) => (tenant.work ? words(tenant.work.kind) : "–"),
  },
  { key: "revision", title: a("tenants.revision"), cell: (tenant) => tenant.revision },
  {
    key: "created",
    title: a("field.created"),
    cell: (tenant) => <Time us={tenant.created_us} form="short" />,
    sortBy: (tenant) => tenant.created_us,
  },
];

const TENANT_ID = /^[a-z0-9][a-z0-9_]{0,47}$/;

function NewTenant({ close }: { close: () => void }) {
  const [id, setId] = useState("");
  const [name, setName] = useState("");
  const [administrator, setAdministrator] = useState("");
  const isId = TENANT_ID.test(id);
  return (
    <AskDialog<Made>
      title={a("tenants.new")}
      close={close}
      needsReason
      explain={<p className="dim">{a("tenants.new_explain")}</p>}
      confirm={a("tenants.create")}
      isReady={isId && name.trim() !== "" && administrator.trim() !== ""}
      run={(key, reason) => {
        const body = {
          tenant_id: id,
          name: name.trim(),
          administrator: administrator.trim(),
          reason,
        };
        return change("post", "/api/v1/tenants", { body }, key);
      }}
      after={invitationOf}
    >
      <TextInput
        size="sm"
        label={a("field.tenant_id")}
        description={a("tenants.id_hint")}
        value={id}
        maxLength={48}
        error={id !== "" && !isId ? a("tenants.id_wrong") : undefined}
        autoCapitalize="none"
        data-autofocus
        data-testid="tenant-id"
        onChange={(event) => setId(event.currentTarget.value)}
      />
      <TextInput
        size="sm"
        label={a("field.name")}
        value={name}
        maxLength={120}
        data-testid="tenant-name"
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <TextInput
        size="sm"
        label={a("tenants.administrator")}
        description={a("tenants.administrator_hint")}
        value={administrator}
        maxLength={64}
        autoCapitalize="none"
        data-testid="tenant-administrator"
        onChange={(event) => setAdministrator(event.currentTarget.value)}
      />
    </AskDialog>
  );
}
