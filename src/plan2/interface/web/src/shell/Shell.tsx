/** The frame around every page. */

import { Spotlight } from "@mantine/spotlight";
import { type ReactNode, useMemo } from "react";
import { Link } from "wouter";
import { useSystem } from "../api/queries";
import { useDialogs } from "../state/dialogs";
import { usePast } from "../state/past";
import { useSession } from "../state/session";
import { useIsStale, useLink } from "../stream/react";
import { t } from "../strings";
import { Boundary } from "../widgets/Boundary";
import { Icon } from "../widgets/Icon";
import { type Action, useActions } from "./actions";
import { CommandDialog } from "./CommandDialog";
import { KillDialog } from "./KillDialog";
import { Announcer, LiveEffects } from "./LiveEffects";
import { BottomTabs, Nav } from "./Nav";
import { PastBanner } from "./PastBanner";
import { PreferencesDialog } from "./PreferencesDialog";
import { ProofDialog } from "./ProofDialog";
import { ShortcutSheet } from "./ShortcutSheet";
import { SignInOverlay } from "./SignInOverlay";
import { StatusStrip } from "./StatusStrip";
import { TopBar } from "./TopBar";
import { useShortcuts } from "./useShortcuts";

export function Shell({ children }: { children: ReactNode }) {
  const actions = useActions();
  const isStale = useIsStale();
  const at_us = usePast((state) => state.at_us);
  // Behind the sign-in nothing can be reached; the page stays as it is.
  const isSignedOut = useSession((state) => state.isSignedOut);
  useShortcuts(actions);
  return (
    <>
      <a className="skip-link" href="#main">
        {t("shell.skip")}
      </a>
      <div className={`shell ${at_us === null ? "" : "is-past"}`} inert={isSignedOut}>
        <TopBar />
        <Nav />
        <main id="main" className={`main ${isStale ? "is-stale" : ""}`} tabIndex={-1}>
          {at_us === null ? <Banner /> : <PastBanner at_us={at_us} />}
          {children}
        </main>
        <Boundary fallback={() => null}>
          <StatusStrip />
        </Boundary>
        <BottomTabs />
      </div>
      <Palette actions={actions} />
      <OpenDialog actions={actions} />
      <ProofDialog />
      <SignInOverlay />
      <Boundary fallback={() => null}>
        <LiveEffects />
      </Boundary>
      <Announcer />
    </>
  );
}

function Banner() {
  const { state } = useLink();
  const { data: system } = useSystem();
  const needsFactor = useSession((session) => session.needsFactor);
  if (needsFactor)
    return (
      <div className="banner is-crit" role="alert">
        <Icon name="lock" size={15} /> {t("banner.factor")}{" "}
        <Link href="/settings/second-factor">{t("banner.to_factor")}</Link>
      </div>
    );
  if (state === "offline")
    return (
      <div className="banner is-crit" role="alert">
        <Icon name="warning" size={15} /> {t("link.help.offline")}
      </div>
    );
  if (system?.trading_state === "halted")
    return (
      <div className="banner is-warn">
        <Icon name="halt" size={15} /> {t("banner.halted")}
      </div>
    );
  if (system?.mode === "replay")
    return <div className="banner is-violet">{t("banner.replay")}</div>;
  return null;
}

function OpenDialog({ actions }: { actions: Action[] }) {
  const dialog = useDialogs((state) => state.dialog);
  const close = useDialogs((state) => state.close);
  switch (dialog.kind) {
    case "kill":
      return <KillDialog close={close} />;
    case "command":
      return <CommandDialog command={dialog.command} close={close} />;
    case "shortcuts":
      return <ShortcutSheet actions={actions} close={close} />;
    case "preferences":
      return <PreferencesDialog close={close} />;
    default:
      return null;
  }
}

function Palette({ actions }: { actions: Action[] }) {
  const groups = useMemo(() => {
    const names = [...new Set(actions.map((action) => action.group))];
    return names.map((group) => ({
      group,
      actions: actions
        .filter((action) => action.group === group)
        .map((action) => ({
          id: action.id,
          label: action.title,
          onClick: action.run,
          leftSection: <Icon name={action.icon} />,
          rightSection: action.keys ? <span className="kbd">{action.keys}</span> : undefined,
        })),
    }));
  }, [actions]);
  return (
    <Spotlight
      actions={groups}
      shortcut={["mod + K"]}
      scrollable
      overlayProps={{ backgroundOpacity: 0.5, blur: 0 }}
      maxHeight={420}
      nothingFound={t("palette.nothing")}
      searchProps={{
        placeholder: t("palette.placeholder"),
        leftSection: <Icon name="search" />,
        "aria-label": t("palette.placeholder"),
      }}
    />
  );
}
