/** Where one can go: a column on wide screens, tabs at the bottom of phones. */

import { Menu, Tooltip } from "@mantine/core";
import { spotlight } from "@mantine/spotlight";
import { Link, useLocation } from "wouter";
import { useDialogs } from "../state/dialogs";
import { usePreferences } from "../state/preferences";
import { t } from "../strings";
import { Icon } from "../widgets/Icon";
import { isOnPage, PAGES } from "./pages";

export function Nav() {
  const [location] = useLocation();
  const isCollapsed = usePreferences((state) => state.isNavCollapsed);
  const change = usePreferences((state) => state.change);
  return (
    <nav className={`nav ${isCollapsed ? "is-collapsed" : ""}`} aria-label={t("shell.navigation")}>
      {PAGES.map((page) => (
        <Tooltip
          key={page.path}
          label={`${t(page.title)} (g ${page.key})`}
          position="right"
          openDelay={500}
        >
          <Link href={page.path} aria-current={isOnPage(page.path, location) ? "page" : undefined}>
            <Icon name={page.icon} size={18} /> <span className="nav-label">{t(page.title)}</span>
          </Link>
        </Tooltip>
      ))}
      <button
        type="button"
        className="nav-toggle"
        onClick={() => change({ isNavCollapsed: !isCollapsed })}
        aria-expanded={!isCollapsed}
      >
        <Icon name={isCollapsed ? "chevronRight" : "chevronLeft"} size={18} />{" "}
        <span className="nav-label">{t("shell.collapse")}</span>
        {isCollapsed && <span className="sr-only">{t("shell.expand")}</span>}
      </button>
    </nav>
  );
}

const TABS = PAGES.slice(0, 4);
const MORE = PAGES.slice(4);

export function BottomTabs() {
  const [location, navigate] = useLocation();
  const open = useDialogs((state) => state.open);
  const isMore = MORE.some((page) => isOnPage(page.path, location));
  return (
    <nav className="tabs-bottom" aria-label={t("shell.navigation")}>
      {TABS.map((page) => (
        <Link
          key={page.path}
          href={page.path}
          aria-current={isOnPage(page.path, location) ? "page" : undefined}
        >
          <Icon name={page.icon} size={20} /> {t(page.title)}
        </Link>
      ))}
      <Menu position="top-end" width={200}>
        <Menu.Target>
          <button type="button" aria-current={isMore ? "page" : undefined}>
            <Icon name="more" size={20} /> {t("shell.more")}
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          {MORE.map((page) => (
            <Menu.Item
              key={page.path}
              leftSection={<Icon name={page.icon} />}
              onClick={() => navigate(page.path)}
            >
              {t(page.title)}
            </Menu.Item>
          ))}
          <Menu.Item leftSection={<Icon name="search" />} onClick={spotlight.open}>
            {t("palette.open")}
          </Menu.Item>
          <Menu.Item
            leftSection={<Icon name="settings" />}
            onClick={() => open({ kind: "preferences" })}
          >
            {t("prefs.title")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </nav>
  );
}
