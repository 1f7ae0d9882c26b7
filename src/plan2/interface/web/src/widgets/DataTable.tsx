/** A table with stable sorting, row opening by click and Enter, and cards on phones. */

import { type KeyboardEvent, type MouseEvent, type ReactNode, useMemo, useState } from "react";
import { t } from "../strings";

export type Column<Item> = {
  key: string;
  title: string;
  cell: (item: Item) => ReactNode;
  /** What the column sorts by; without it the column does not sort. */
  sortBy?: (item: Item) => number | string;
  align?: "right";
  /** On phones `lead` heads the card, `full` and `wide` (untitled) have a line of it; `wide` takes a table's rest. */
  role?: "lead" | "wide" | "full";
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
  return (
    <div className="table-region" role="region" aria-label={label} tabIndex={0}>
      <table className="tbl is-cards" aria-rowcount={items.length}>
        <thead>
          <tr>
            {columns.map((column) => (
              <Head key={column.key} column={column} sorting={sorting} turn={turn} />
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((item) => {
            const key = keyOf(item);
            return (
              <Row
                key={key}
                item={item}
                columns={columns}
                isSelected={key === selected}
                onOpen={onOpen}
              />
            );
          })}
        </tbody>
        {footer && <tfoot>{footer}</tfoot>}
      </table>
    </div>
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
  item: Item;
  columns: Column<Item>[];
  isSelected: boolean;
  onOpen: Props<Item>["onOpen"];
};

/** Whether an event began on a button of a cell, or of a menu that one opened. */
const isOnControl = ({ target }: { target: EventTarget }): boolean =>
  target instanceof Element && target.closest("button, a, [role='menu']") !== null;

function Row<Item>({ item, columns, isSelected, onOpen }: RowProps<Item>) {
  const open = onOpen && {
    tabIndex: 0,
    onClick: (event: MouseEvent) => !isOnControl(event) && onOpen(item),
    onKeyDown: (event: KeyboardEvent) =>
      event.key === "Enter" && !isOnControl(event) && onOpen(item),
  };
  return (
    <tr
      className={isSelected ? "is-selected" : ""}
      aria-selected={onOpen ? isSelected : undefined}
      {...open}
    >
      {columns.map((column) => (
        <td key={column.key} className={classOf(column)} data-label={column.title}>
          {column.cell(item)}
        </td>
      ))}
    </tr>
  );
}
