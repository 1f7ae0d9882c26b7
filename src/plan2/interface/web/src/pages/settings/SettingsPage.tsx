/** Settings: oneself, the tenant and its people, limits and switches; one section at a time. */

import type { ComponentType } from "react";
import { Link } from "wouter";
import { type Right, has, useSession } from "../../state/session";
import { t } from "../../strings";
import { a, type AdminKey } from "../../strings/admin";
import "../../styles/admin.css";
import { usePageTitle } from "../usePageTitle";
import { ApprovalsSection } from "./ApprovalsSection";
import { AssistantsSection } from "./AssistantsSection";
import { BrokerSection } from "./BrokerSection";
import { EncryptionSection } from "./EncryptionSection";
import { FlagsSection } from "./FlagsSection";
import { KeysSection } from "./KeysSection";
import { LimitsSection } from "./LimitsSection";
import { PrivacySection } from "./PrivacySection";
import { ProfileSection } from "./ProfileSection";
import { SecondFactorSection } from "./SecondFactorSection";
import { SessionsSection } from "./SessionsSection";
import { TelegramSection } from "./TelegramSection";
import { TenantSection } from "./TenantSection";
import { UsersSection } from "./UsersSection";

type Section = { name: string; title: AdminKey; right: Right; show: ComponentType };

const SECTIONS: readonly Section[] = [
  { name: "profile", title: "section.profile", right: "everyone", show: ProfileSection },
  { name: "sessions", title: "section.sessions", right: "reader", show: SessionsSection },
  { name: "second-factor", title: "section.factor", right: "reader", show: SecondFactorSection },
  { name: "telegram", title: "section.telegram", right: "reader", show: TelegramSection },
  { name: "keys", title: "section.keys", right: "everyone", show: KeysSection },
  { name: "privacy", title: "section.privacy", right: "reader", show: PrivacySection },
  { name: "assistants", title: "section.assistants", right: "reader", show: AssistantsSection },
  { name: "approvals", title: "section.approvals", right: "everyone", show: ApprovalsSection },
  { name: "limits", title: "section.limits", right: "reader", show: LimitsSection },
  { name: "flags", title: "section.flags", right: "reader", show: FlagsSection },
  { name: "users", title: "section.users", right: "administrator", show: UsersSection },
  { name: "tenant", title: "section.tenant", right: "administrator", show: TenantSection },
  { name: "broker", title: "section.broker", right: "administrator", show: BrokerSection },
  {
    name: "encryption",
    title: "section.encryption",
    right: "administrator",
    show: EncryptionSection,
  },
];

const showInLine = (link: HTMLAnchorElement | null): void =>
  link?.scrollIntoView({ block: "nearest", inline: "center" });

export function SettingsPage({ section }: { section: string }) {
  const session = useSession((state) => state.session);
  // An address that somebody was given opens its section, whatever the role: the section says no.
  const shown = SECTIONS.find(({ name }) => name === section) ?? SECTIONS[0];
  const offered = SECTIONS.filter((one) => has(session, one.right) || one === shown);
  usePageTitle(`${t("page.settings")}: ${a(shown?.title ?? "section.profile")}`);
  return (
    <div className="page-settings" data-testid="page-settings">
      <h1 className="sr-only">{t("page.settings")}</h1>
      <nav className="side-tabs" aria-label={a("settings.sections")}>
        {offered.map(({ name, title }) => (
          <Link
            key={name}
            href={`/settings/${name}`}
            aria-current={name === shown?.name ? "page" : undefined}
            // On phones the sections are one line that scrolls sideways.
            ref={name === shown?.name ? showInLine : undefined}
          >
            {a(title)}
          </Link>
        ))}
      </nav>
      <div className="section stack">{shown && <shown.show />}</div>
    </div>
  );
}
