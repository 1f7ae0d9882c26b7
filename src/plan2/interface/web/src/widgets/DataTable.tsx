/** A table with stable sorting, row opening by click and Enter, and cards on phones. */

import { type KeyboardEvent, type MouseEvent, type ReactNode, useMemo, useState } from "react";
import { t } from "../strings";
import { Icon } from "./Icon";
import { useIsPhone } from "./phone";
import { useWindowed } from "./useWindowed";

export type Column<Item> = {
  key: string;
  title: string;
  cell: (item: Item) => ReactNode;
  /** What the column sorts by; without it the column does not sort. */
  sortBy?: (item: Item) => number | string;
  align?: "right";
  /** On phones `lead` heads the card, `full` and `wide` (untitled) have a line of it; `wide` takes a table's rest. */
  role?: "lead" | "wide" | "full";
  /** Left out of a phone's card until its reader opens it. */
  isSecondary?: boolean;
};

type Props<Item> = {
  label: string;
  columns: Column<Item>[];
  items: readonly Item[];
  keyOf: (item: Item) => string;
  onOpen?: (item: Item) => void;
  selected?: string;
  footer?: ReactNode;
};

/** Tables of more rows have only those in sight in the page; phones show cards, page by page. */
const LONG = 300;

type Sorting = { key: string; isDown: boolean } | null;

const compare = (a: number | string, b: number | string): number => (a < b ? -1 : a > b ? 1 : 0);

function sorted<Item>(
  items: readonly Item[],
  columns: Column<Item>[],
  sorting: Sorting,
): readonly Item[] {
  const by = columns.find((column) => column.key === sorting?.key)?.sortBy;
  if (!by || !sorting) return items;
  const sign = sorting.isDown ? -1 : 1;
  // toSorted is stable: rows that compare equal keep the order they came in.
  return items.toSorted((a, b) => sign * compare(by(a), by(b)));
}

const classOf = <Item,>(column: Column<Item>): string =>
  `${column.align === "right" ? "is-right" : ""} ${column.role ? `is-${column.role}` : ""}`;

export function DataTable<Item>({
  label,
  columns,
  items,
  keyOf,
  onOpen,
  selected,
  footer,
}: Props<Item>) {
  const [sorting, setSorting] = useState<Sorting>(null);
  const shown = useMemo(() => sorted(items, columns, sorting), [items, columns, sorting]);
  const turn = (key: string) =>
    setSorting(
      sorting?.key !== key ? { key, isDown: true } : sorting.isDown ? { key, isDown: false } : null,
    );
  const isPhone = useIsPhone();
  const {
    region,
    shown: seen,
    isLong,
  } = useWindowed<HTMLDivElement>(isPhone ? 0 : shown.length, "tbody tr[aria-rowindex]", LONG);
  const rows = isLong ? shown.slice(seen.first, seen.last) : shown;
  return (
    <div
      ref={region}
      className={`table-region ${isLong ? "is-long" : ""}`}
      role="region"
      aria-label={label}
      tabIndex={0}
    >
      <table className="tbl is-cards" aria-rowcount={items.length}>
        <thead>
          <tr>
            {columns.map((column) => (
              <Head key={column.key} column={column} sorting={sorting} turn={turn} />
            ))}
          </tr>
        </thead>
        <tbody>
          {isLong && <Room px={seen.before_px} columns={columns.length} />}
          {rows.map((item, index) => {
            const key = keyOf(item);
            return (
              <Row
                key={key}
                index={isLong ? seen.first + index + 1 : undefined}
                item={item}
                columns={columns}
                isSelected={key === selected}
                folds={isPhone && columns.some((column) => column.isSecondary)}
                onOpen={onOpen}
              />
            );
          })}
          {isLong && <Room px={seen.after_px} columns={columns.length} />}
        </tbody>
        {footer && <tfoot>{footer}</tfoot>}
      </table>
    </div>
  );
}

/** The room of the rows that are not in the page. */
function Room({ px, columns }: { px: number; columns: number }) {
  if (px <= 0) return null;
  return (
    <tr aria-hidden="true" className="room">
      <td colSpan={columns} style={{ height: px }} />
    </tr>
  );
}

function Head<Item>({
  column,
  sorting,
  turn,
}: {
  column: Column<Item>;
  sorting: Sorting;
  turn: (key: string) => void;
}) {
  const isSorted = sorting?.key === column.key;
  const order = isSorted ? (sorting.isDown ? "descending" : "ascending") : undefined;
  return (
    <th scope="col" className={classOf(column)} aria-sort={order}>
      {column.sortBy ? (
        <button
          type="button"
          className="sort"
          onClick={() => turn(column.key)}
          title={t("table.sort")}
        >
          {column.title}
          <span aria-hidden="true">{isSorted ? (sorting.isDown ? "↓" : "↑") : ""}</span>
        </button>
      ) : (
        column.title
      )}
    </th>
  );
}

type RowProps<Item> = {
  index: number | undefined;
  item: Item;
  columns: Column<Item>[];
  isSelected: boolean;
  folds: boolean;
  onOpen: Props<Item>["onOpen"];
};

/** Whether an event began on a button of a cell, or of a menu that one opened. */
const isOnControl = ({ target }: { target: EventTarget }): boolean =>
  target instanceof Element && target.closest("button, a, [role='menu']") !== null;

function Row<Item>({ index, item, columns, isSelected, folds, onOpen }: RowProps<Item>) {
  const [isUnfolded, setUnfolded] = useState(false);
  const shown = folds && !isUnfolded ? columns.filter((column) => !column.isSecondary) : columns;
  const lead = shown.find((column) => column.role === "lead");
  const open = onOpen && {
    tabIndex: 0,
    onClick: (event: MouseEvent) => !isOnControl(event) && onOpen(item),
    onKeyDown: (event: KeyboardEvent) =>
      event.key === "Enter" && !isOnControl(event) && onOpen(item),
  };
  return (
    <tr
      className={isSelected ? "is-selected" : ""}
      aria-rowindex={index}
      aria-selected={onOpen ? isSelected : undefined}
      {...open}
    >
      {shown.map((column) => (
        <td key={column.key} className={classOf(column)} data-label={column.title}>
          {column.cell(item)}
          {folds && column === lead && (
            <button
              type="button"
              className="unfold"
              aria-expanded={isUnfolded}
              aria-label={t("table.details")}
              onClick={() => setUnfolded(!isUnfolded)}
            >
              <Icon name={isUnfolded ? "chevronDown" : "chevronRight"} size={16} />
            </button>
          )}
        </td>
      ))}
    </tr>
  );
}
