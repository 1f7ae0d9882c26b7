/** The columns of the table of features. */

import type { Answer } from "../../api/typed";
import { DASH, significant } from "../../format/numbers";
import { t } from "../../strings";
import type { Column } from "../../widgets/DataTable";
import { spoken } from "../../strings/told";

export type Entry = Answer<"get", "/api/v1/features/book">["catalogue"][number];

/** Undefined: not computed for the set in use; null: computed and not known yet. */
type ValueOf = (name: string) => number | null | undefined;

const edge = (value: number | null): string => (value === null ? "∞" : significant(value, 3));

const range = ({ low, high }: Entry): string =>
  low === null && high === null ? DASH : `${low === null ? "−" : ""}${edge(low)} … ${edge(high)}`;

export const columns = (symbol: string, valueOf: ValueOf): Column<Entry>[] => [
  {
    key: "name",
    title: t("features.name"),
    cell: (entry) => <span className="mono">{entry.name}</span>,
    sortBy: (entry) => entry.name,
    role: "lead",
  },
  {
    key: "value",
    title: symbol || t("features.value"),
    align: "right",
    sortBy: (entry) => valueOf(entry.name) ?? -Infinity,
    cell: (entry) => {
      const value = valueOf(entry.name);
      if (value === undefined) return DASH;
      if (value === null) return <span className="warn">{t("features.undefined")}</span>;
      return <span className="num">{significant(value)}</span>;
    },
  },
  {
    key: "unit",
    isSecondary: true,
    title: t("features.unit"),
    cell: (entry) => <span className="faint">{entry.unit}</span>,
  },
  {
    key: "group",
    isSecondary: true,
    title: t("features.group"),
    cell: (entry) => entry.group,
    sortBy: (entry) => entry.group,
  },
  {
    key: "warmup",
    isSecondary: true,
    title: t("features.warmup"),
    align: "right",
    cell: (entry) => (
      <span className="num">
        {entry.warmup_bars}
        {entry.waits && ` + ${t("features.waits")}`}
      </span>
    ),
    sortBy: (entry) => entry.warmup_bars,
  },
  {
    key: "range",
    isSecondary: true,
    title: t("features.range"),
    align: "right",
    cell: (entry) => <span className="num">{range(entry)}</span>,
  },
  {
    key: "meaning",
    isSecondary: true,
    title: t("features.meaning"),
    role: "wide",
    cell: (entry) => (
      <>
        <span {...spoken(entry.meaning)} />
        {entry.formula && <div className="mono faint break">{entry.formula}</div>}
      </>
    ),
  },
];
