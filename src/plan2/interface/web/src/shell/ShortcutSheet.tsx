/** Every shortcut of the shell, and those of single pages. */

import { Modal } from "@mantine/core";
import { t } from "../strings";
import type { Action } from "./actions";

const PAGE_KEYS = [
  { keys: "[ / ]", title: "shortcuts.symbol" },
  { keys: "1 … 4", title: "shortcuts.timeframe" },
  { keys: "← →", title: "shortcuts.crosshair" },
  { keys: "+ −", title: "shortcuts.zoom" },
  { keys: "End", title: "shortcuts.latest" },
  { keys: "j / k", title: "shortcuts.next" },
  { keys: "r", title: "shortcuts.replay" },
  { keys: "n", title: "shortcuts.new_order" },
] as const;

export function ShortcutSheet({ actions, close }: { actions: Action[]; close: () => void }) {
  return (
    <Modal opened onClose={close} size="lg" title={<b>{t("shortcuts.title")}</b>}>
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
      <p className="dim" style={{ marginTop: 12 }}>
        {t("shortcuts.note")}
      </p>
    </Modal>
  );
}
