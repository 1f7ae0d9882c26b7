/** Small parts that several pages share: tiles, segments, bars, tabs. */

import type { ReactNode } from "react";
import { t } from "../strings";

export function Tile({
  name,
  value,
  foot,
  testId,
}: {
  name: string;
  value: ReactNode;
  foot?: ReactNode;
  testId?: string;
}) {
  return (
    <div className="tile" data-testid={testId}>
      <span className="tile-label">{name}</span>
      <span className="tile-value">{value}</span>
      <span className="tile-foot">{foot ?? "\u00a0"}</span>
    </div>
  );
}

type SegmentsProps<Value extends string | number> = {
  label: string;
  options: readonly { value: Value; text: ReactNode }[];
  value: Value;
  onChange: (value: Value) => void;
};

/** A choice of one among few, as a row of buttons. */
export function Segments<Value extends string | number>({
  label,
  options,
  value,
  onChange,
}: SegmentsProps<Value>) {
  return (
    <div className="segments" role="group" aria-label={label}>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          onClick={() => onChange(option.value)}
        >
          {option.text}
        </button>
      ))}
    </div>
  );
}

type BarProps = { label: ReactNode; text: ReactNode; fraction: number; name: string };

/** How much of a limit is used, in words and as a bar. */
export function UseBar({ label, text, fraction, name }: BarProps) {
  const share = Math.min(1, Math.max(0, fraction));
  const tone = share >= 0.9 ? "is-crit" : share >= 0.7 ? "is-warn" : "";
  return (
    <div>
      <div className="limit-head">
        <span>{label}</span>
        <span className="num">{text}</span>
      </div>
      <div
        className={`bar ${tone}`}
        role="meter"
        aria-label={name}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share * 100)}
      >
        <i style={{ width: `${share * 100}%` }} />
      </div>
    </div>
  );
}

export function LoadMore({
  query,
}: {
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
}) {
  if (!query.hasNextPage) return null;
  return (
    <div className="more">
      <button
        type="button"
        className="ghost-button"
        disabled={query.isFetchingNextPage}
        onClick={() => void query.fetchNextPage()}
      >
        {t(query.isFetchingNextPage ? "widget.loading" : "table.older")}
      </button>
    </div>
  );
}

/** All items of the pages loaded so far. */
export function flat<Item>(data: { pages: { items: Item[] }[] } | undefined): Item[] {
  return data?.pages.flatMap((page) => page.items) ?? [];
}
