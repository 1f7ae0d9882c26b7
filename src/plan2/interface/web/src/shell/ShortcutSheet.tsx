/** Every shortcut of the shell, and those of single pages. */

import { Modal } from "@mantine/core";
import { t } from "../strings";
import { type Action, PAGE_KEYS } from "./actions";

export function ShortcutSheet({ actions, close }: { actions: Action[]; close: () => void }) {
  return (
    <Modal opened onClose={close} size="lg" title={<b>{t("shortcuts.title")}</b>}>
      <ShortcutGrid actions={actions} />
      <p className="dim" style={{ marginTop: 12 }}>
        {t("shortcuts.note")}
      </p>
    </Modal>
  );
}

/** Every key with what it does; also a part of the help page. */
export function ShortcutGrid({ actions }: { actions: Action[] }) {
  return (
    <div className="shortcut-grid">
      <div>
        <span>{t("palette.open")}</span>
        <span className="kbd">ctrl+k</span>
      </div>
      {actions
        .filter((action) => action.keys !== "")
        .map((action) => (
          <div key={action.id}>
            <span>{action.title}</span>
            <span className="kbd">{action.keys}</span>
          </div>
        ))}
      {PAGE_KEYS.map((entry) => (
        <div key={entry.keys}>
          <span>{t(entry.title)}</span>
          <span className="kbd">{entry.keys}</span>
        </div>
      ))}
    </div>
  );
}
