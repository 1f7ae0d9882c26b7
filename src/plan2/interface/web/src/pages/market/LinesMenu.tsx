/** Which lines and marks the chart shows. */

import { Menu } from "@mantine/core";
import { t } from "../../strings";
import { Icon } from "../../widgets/Icon";

const LINES = [
  { names: ["ema_20"], text: "EMA 20" },
  { names: ["bb_upper_20_2", "bb_lower_20_2"], text: "Bollinger 20 2" },
  { names: ["rsi_14"], text: "RSI 14" },
  { names: ["decisions"], text: "" },
  { names: ["fills"], text: "" },
] as const;

export function LinesMenu({
  hidden,
  setHidden,
}: {
  hidden: ReadonlySet<string>;
  setHidden: (hidden: ReadonlySet<string>) => void;
}) {
  const turn = (names: readonly string[]) => {
    const next = new Set(hidden);
    for (const name of names) if (!next.delete(name)) next.add(name);
    setHidden(next);
  };
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <button
          type="button"
          className="icon-button"
          aria-label={t("chart.lines")}
          title={t("chart.lines")}
        >
          <Icon name="chart" size={16} />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {LINES.map(({ names, text }) => {
          const isShown = !hidden.has(names[0]);
          return (
            <Menu.CheckboxItem key={names[0]} checked={isShown} onChange={() => turn(names)}>
              {text || t(names[0] === "fills" ? "chart.fills" : "chart.decisions")}
            </Menu.CheckboxItem>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
}
