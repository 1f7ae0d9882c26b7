/** How this device shows things. */

import { Button, Modal, Switch } from "@mantine/core";
import type { ReactNode } from "react";
import { signOut } from "../api/client";
import { useInstall, useInstallable } from "../state/install";
import {
  type Density,
  type Palette,
  type Rate,
  type Theme,
  usePreferences,
} from "../state/preferences";
import type { Zone } from "../format/times";
import { useSession } from "../state/session";
import { t } from "../strings";
import { type Language, LANGUAGES, useLanguage } from "../strings/language";
import { useScheme } from "./appearance";
import { Segments } from "../widgets/parts";

const RATES: readonly Rate[] = ["", "live", "normal", "saver"];

export function PreferencesDialog({ close }: { close: () => void }) {
  const { theme, zone, palette, density, rate, hasSingleKeys, change } = usePreferences();
  const language = useLanguage((state) => state.shown);
  const scheme = useScheme();
  const session = useSession((state) => state.session);
  return (
    <Modal opened onClose={close} title={<b>{t("prefs.title")}</b>}>
      <div className="stack">
        <Line name={t("prefs.language")}>
          <Segments<Language>
            label={t("prefs.language")}
            value={language}
            onChange={(value) => change({ language: value })}
            options={(Object.keys(LANGUAGES) as Language[]).map((value) => ({
              value,
              text: <span lang={value}>{LANGUAGES[value].name}</span>,
            }))}
          />
        </Line>
        <Line name={t("prefs.theme")}>
          <Segments<Theme>
            label={t("prefs.theme")}
            value={theme === "" ? scheme : theme}
            onChange={(value) => change({ theme: value })}
            options={[
              { value: "dark", text: t("prefs.dark") },
              { value: "light", text: t("prefs.light") },
              { value: "contrast", text: t("prefs.contrast") },
              { value: "system", text: t("prefs.system") },
            ]}
          />
        </Line>
        <Line name={t("prefs.zone")}>
          <Segments<Zone>
            label={t("prefs.zone")}
            value={zone}
            onChange={(value) => change({ zone: value })}
            options={[
              { value: "utc", text: "UTC" },
              { value: "local", text: t("prefs.local") },
            ]}
          />
        </Line>
        <Line name={t("prefs.palette")}>
          <Segments<Palette>
            label={t("prefs.palette")}
            value={palette}
            onChange={(value) => change({ palette: value })}
            options={[
              { value: "green-red", text: t("prefs.green_red") },
              { value: "blue-orange", text: t("prefs.blue_orange") },
              { value: "red-green", text: t("prefs.red_green") },
            ]}
          />
        </Line>
        <Line name={t("prefs.density")}>
          <Segments<Density>
            label={t("prefs.density")}
            value={density}
            onChange={(value) => change({ density: value })}
            options={[
              { value: "compact", text: t("prefs.compact") },
              { value: "normal", text: t("prefs.normal") },
            ]}
          />
        </Line>
        <Line name={t("prefs.rate")}>
          <Segments<Rate>
            label={t("prefs.rate")}
            value={rate}
            onChange={(value) => change({ rate: value })}
            options={RATES.map((value) => ({ value, text: t(`prefs.rate_${value || "auto"}`) }))}
          />
        </Line>
        <Line name={t("prefs.single_keys")}>
          <Switch
            checked={hasSingleKeys}
            onChange={(event) => change({ hasSingleKeys: event.currentTarget.checked })}
            aria-label={t("prefs.single_keys")}
          />
        </Line>
        <InstallLine />
        {session && (
          <Line name={t("prefs.signed_in", { user: session.user, tenant: session.tenant })}>
            <Button variant="default" onClick={() => void signOut().then(close)}>
              {t("prefs.sign_out")}
            </Button>
          </Line>
        )}
      </div>
    </Modal>
  );
}

function InstallLine() {
  const install = useInstall((state) => state.install);
  const way = useInstallable();
  return (
    <Line name={t("install.title")}>
      {way === "offered" ? (
        <Button variant="default" onClick={install} title={t("install.offered")}>
          {t("install.button")}
        </Button>
      ) : (
        <span className="dim">{t(`install.${way}`)}</span>
      )}
    </Line>
  );
}

function Line({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="row wrap" style={{ justifyContent: "space-between" }}>
      <span>{name}</span>
      {children}
    </div>
  );
}
