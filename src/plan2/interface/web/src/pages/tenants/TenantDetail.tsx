/** One tenant: how far its creation is, what runs, what was exported, and what can be done. */

import { Select } from "@mantine/core";
import { useState } from "react";
import { useQuotasOf } from "../../api/admin";
import { type Answer, change, type Item } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { Note } from "../../asking/Note";
import { compact } from "../../format/numbers";
import { words } from "../../strings";
import { a } from "../../strings/admin";
import { Pair, Time } from "../../widgets/Figures";
import { Icon } from "../../widgets/Icon";
import { UseBar } from "../../widgets/parts";
import { Widget } from "../../widgets/Widget";
import { invitationOf } from "./invitation";
import { QuotasWidget } from "./QuotasWidget";
import { tenantTone } from "./tones";
import { spoken } from "../../strings/told";

type Tenant = Item<"/api/v1/tenants">;
type Made = Answer<"post", "/api/v1/tenants">;
type Deed = "suspend" | "resume" | "export" | "retry" | "restore" | "delete";

/** What can be done with a tenant as it stands; the server has the last word. */
export function deedsOf(tenant: Tenant): Deed[] {
  if (tenant.work) return [];
  switch (tenant.state) {
    case "ready":
      return tenant.is_main ? ["export"] : ["suspend", "export", "delete"];
    case "suspended":
      return ["resume", "export", "delete"];
    case "failed":
    case "migrating":
      return ["retry", "delete"];
    default:
      return tenant.exports.length > 0 ? ["restore"] : [];
  }
}

export function TenantDetail({ tenant }: { tenant: Tenant }) {
  const [deed, setDeed] = useState<Deed | null>(null);
  const quotas = useQuotasOf(tenant.tenant_id);
  return (
    <>
      <Widget
        title={tenant.name || tenant.tenant_id}
        actions={
          <span className="row">
            {deedsOf(tenant).map((one) => (
              <button
                key={one}
                type="button"
                className="ghost-button"
                onClick={() => setDeed(one)}
                data-testid={`tenant-${one}`}
              >
                {a(`tenant.${one}`)}
              </button>
            ))}
          </span>
        }
      >
        <div className="stack">
          <dl className="pairs is-left">
            <Pair name={a("field.state")}>
              <span className={`chip ${tenantTone(tenant.state)}`}>{words(tenant.state)}</span>{" "}
              <span {...spoken(tenant.detail)} />
            </Pair>
            <Pair name={a("tenants.revision")}>{tenant.revision || "–"}</Pair>
            <Pair name={a("field.created")}>
              <Time us={tenant.created_us} form="full" />
            </Pair>
          </dl>
          {tenant.closing && <Note tone="warn">{tenant.closing}</Note>}
          {tenant.last_failure && <Note tone="crit">{tenant.last_failure}</Note>}
          {tenant.work && <Work work={tenant.work} />}
          <Steps steps={tenant.steps} />
          <Exports exports={tenant.exports} />
        </div>
      </Widget>
      <QuotasWidget query={quotas} />
      {deed && <DeedDialog deed={deed} tenant={tenant} close={() => setDeed(null)} />}
    </>
  );
}

function Work({ work }: { work: NonNullable<Tenant["work"]> }) {
  const name = `${words(work.kind)}: ${words(work.phase)}`;
  const total = work.total_rows > 0 ? ` / ${compact(work.total_rows)}` : "";
  return (
    <UseBar
      name={name}
      label={name}
      text={`${compact(work.done_rows)}${total}`}
      // A share of what is not known would be made up, and a bar that is nearly full no alarm here.
      fraction={work.total_rows > 0 ? Math.min(0.69, work.done_rows / work.total_rows) : 0}
    />
  );
}

function Steps({ steps }: { steps: Tenant["steps"] }) {
  if (steps.every((step) => step.is_done)) return null;
  return (
    <ol className="stack is-tight" aria-label={a("tenants.steps")}>
      {steps.map((step) => (
        <li key={step.step} className={`row ${step.is_done ? "ok" : "dim"}`}>
          <Icon name={step.is_done ? "check" : "more"} size={14} /> {words(step.step)}
        </li>
      ))}
    </ol>
  );
}

function Exports({ exports }: { exports: Tenant["exports"] }) {
  if (exports.length === 0) return null;
  return (
    <div>
      <h3 className="about-head">{a("tenants.exports")}</h3>
      <ul className="stack is-tight">
        {exports.map((file) => (
          <li key={file.file} className="row wrap">
            <span className="mono break">{file.file}</span>
            <span className="dim">{compact(file.size_bytes)} B</span>
            <Time us={file.made_us} form="short" />
          </li>
        ))}
      </ul>
    </div>
  );
}

type DialogProps = { deed: Deed; tenant: Tenant; close: () => void };

function DeedDialog(props: DialogProps) {
  if (props.deed === "delete") return <DeleteDialog {...props} />;
  if (props.deed === "restore") return <RestoreDialog {...props} />;
  if (props.deed === "retry") return <RetryDialog {...props} />;
  return <PlainDialog {...props} deed={props.deed} />;
}

const PATHS = {
  suspend: "/api/v1/tenants/{tenant_id}/suspend",
  resume: "/api/v1/tenants/{tenant_id}/resume",
  export: "/api/v1/tenants/{tenant_id}/export",
} as const;

function PlainDialog({ deed, tenant, close }: DialogProps & { deed: keyof typeof PATHS }) {
  const path = { tenant_id: tenant.tenant_id };
  return (
    <AskDialog
      title={`${a(`tenant.${deed}`)}: ${tenant.name}`}
      close={close}
      needsReason
      isRed={deed === "suspend"}
      explain={<p>{a(`tenant.${deed}_explain`)}</p>}
      confirm={a(`tenant.${deed}`)}
      done={a(`tenant.${deed}_done`, { name: tenant.name })}
      run={(key, reason) => change("post", PATHS[deed], { path, body: { reason } }, key)}
    />
  );
}

function RetryDialog({ tenant, close }: DialogProps) {
  const path = { tenant_id: tenant.tenant_id };
  return (
    <AskDialog<Made>
      title={`${a("tenant.retry")}: ${tenant.name}`}
      close={close}
      needsReason
      explain={<p>{a("tenant.retry_explain")}</p>}
      confirm={a("tenant.retry")}
      run={(key, reason) =>
        change("post", "/api/v1/tenants/{tenant_id}/retry", { path, body: { reason } }, key)
      }
      after={invitationOf}
    />
  );
}

function RestoreDialog({ tenant, close }: DialogProps) {
  const files = tenant.exports.map(({ file }) => file);
  const [file, setFile] = useState(files[0] ?? "");
  const path = { tenant_id: tenant.tenant_id };
  return (
    <AskDialog
      title={`${a("tenant.restore")}: ${tenant.name}`}
      close={close}
      needsReason
      explain={<p>{a("tenant.restore_explain")}</p>}
      confirm={a("tenant.restore")}
      done={a("tenant.restore_done", { name: tenant.name })}
      isReady={file !== ""}
      run={(key, reason) =>
        change("post", "/api/v1/tenants/{tenant_id}/restore", { path, body: { file, reason } }, key)
      }
    >
      <Select
        size="sm"
        label={a("tenants.exports")}
        data={files}
        value={file}
        allowDeselect={false}
        onChange={(chosen) => setFile(chosen ?? file)}
      />
    </AskDialog>
  );
}

function DeleteDialog({ tenant, close }: DialogProps) {
  const path = { tenant_id: tenant.tenant_id };
  return (
    <AskDialog
      title={`${a("tenant.delete")}: ${tenant.name}`}
      close={close}
      needsReason
      isRed
      explain={<p className="crit">{a("tenant.delete_explain", { name: tenant.name })}</p>}
      confirm={a("tenant.delete")}
      done={a("tenant.delete_done", { name: tenant.name })}
      word={tenant.tenant_id}
      run={(key, reason) =>
        change(
          "delete",
          "/api/v1/tenants/{tenant_id}",
          { path, query: { confirm: tenant.tenant_id, reason } },
          key,
        )
      }
    />
  );
}
