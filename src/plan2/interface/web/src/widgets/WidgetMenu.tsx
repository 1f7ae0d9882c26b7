/** What can be done with any widget: maximise, copy its address, export its rows. */

import { Menu } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { t } from "../strings";
import { downloadCsv } from "./csv";
import { Icon } from "./Icon";
import { popOut, poppedOut } from "./popOut";

function copyLink(): void {
  void navigator.clipboard
    .writeText(location.href)
    .then(() => notifications.show({ message: t("widget.link_copied") }));
}

/** Rows for "Export CSV", the first one being the header. */
export type CsvRows = () => (string | number | null)[][];

type MenuProps = { isMax: boolean; title: string; toggle: () => void; csv: CsvRows | undefined };

export function WidgetMenu({ isMax, title, toggle, csv }: MenuProps) {
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <button type="button" className="icon-button" aria-label={t("widget.menu", { title })}>
          <Icon name="dots" size={16} />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<Icon name={isMax ? "shrink" : "expand"} size={15} />}
          onClick={toggle}
        >
          {t(isMax ? "widget.restore" : "widget.maximise")}
        </Menu.Item>
        {poppedOut === "" && (
          <Menu.Item leftSection={<Icon name="expand" size={15} />} onClick={() => popOut(title)}>
            {t("widget.pop_out")}
          </Menu.Item>
        )}
        <Menu.Item leftSection={<Icon name="link" size={15} />} onClick={copyLink}>
          {t("widget.copy_link")}
        </Menu.Item>
        {csv && (
          <Menu.Item
            leftSection={<Icon name="download" size={15} />}
            onClick={() => downloadCsv(title, csv())}
          >
            {t("widget.export")}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
