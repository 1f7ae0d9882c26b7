/** Where one can go: a column on wide screens, tabs at the bottom of phones. */

import { Menu, Tooltip } from "@mantine/core";
import { spotlight } from "@mantine/spotlight";
import { Link, useLocation } from "wouter";
import { useDialogs } from "../state/dialogs";
import { usePreferences } from "../state/preferences";
import { t } from "../strings";
import { Icon } from "../widgets/Icon";
import { isOnPage, usePages } from "./pages";

export function Nav() {
  const [location] = useLocation();
  const isCollapsed = usePreferences((state) => state.isNavCollapsed);
  const change = usePreferences((state) => state.change);
  const pages = usePages();
  return (
    <nav className={`nav ${isCollapsed ? "is-collapsed" : ""}`} aria-label={t("shell.navigation")}>
      {pages.map((page) => (
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

/** So many pages have a tab of their own on phones; the others are under "More". */
const TABS = 4;

export function BottomTabs() {
  const [location, navigate] = useLocation();
  const open = useDialogs((state) => state.open);
  const pages = usePages();
  const more = pages.slice(TABS);
  const isMore = more.some((page) => isOnPage(page.path, location));
  return (
    <nav className="tabs-bottom" aria-label={t("shell.navigation")}>
      {pages.slice(0, TABS).map((page) => (
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
          {more.map((page) => (
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
            leftSection={<Icon name="sun" />}
            onClick={() => open({ kind: "preferences" })}
          >
            {t("prefs.title")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </nav>
  );
}
