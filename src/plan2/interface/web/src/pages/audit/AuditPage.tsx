/** The audit trail: what happened, what was the case at a time, and how that can be proven. */

import { Link } from "wouter";
import { t } from "../../strings";
import { a } from "../../strings/admin";
import "../../styles/admin.css";
import { usePageTitle } from "../usePageTitle";
import { AuditEvents } from "./AuditEvents";
import { CheckpointsWidget } from "./CheckpointsWidget";
import { PastState } from "./PastState";
import { RecordsWidget } from "./RecordsWidget";

const TABS = ["events", "past", "proof", "records"] as const;
type Tab = (typeof TABS)[number];

const isTab = (name: string): name is Tab => (TABS as readonly string[]).includes(name);

export function AuditPage({ tab: asked }: { tab: string }) {
  usePageTitle(t("page.audit"));
  const tab: Tab = isTab(asked) ? asked : "events";
  return (
    <div className="page-audit" data-testid="page-audit">
      <h1 className="sr-only">{t("page.audit")}</h1>
      <nav className="tabs" aria-label={a("audit.parts")}>
        {TABS.map((name) => (
          <Link
            key={name}
            href={name === "events" ? "/audit" : `/audit/${name}`}
            aria-current={name === tab ? "page" : undefined}
          >
            {a(`audit.tab_${name}`)}
          </Link>
        ))}
      </nav>
      {tab === "events" && <AuditEvents />}
      {tab === "past" && <PastState />}
      {tab === "proof" && <CheckpointsWidget />}
      {tab === "records" && <RecordsWidget />}
    </div>
  );
}
