/** Which page of a long table is shown, and the way to its neighbours. */

import { fixed } from "../../format/numbers";
import { b } from "../../strings/backtests";

export const PAGE = 50;

type Props = { offset: number; total: number; turn: (offset: number) => void };

export function Pager({ offset, total, turn }: Props) {
  if (total <= PAGE) return null;
  return (
    <div className="backtest-pager">
      <button
        type="button"
        className="ghost-button"
        disabled={offset === 0}
        onClick={() => turn(Math.max(0, offset - PAGE))}
      >
        {b("page.newer", { count: PAGE })}
      </button>
      <span className="num dim" role="status">
        {b("page.shown", {
          from: fixed(offset + 1, 0),
          to: fixed(Math.min(offset + PAGE, total), 0),
          total: fixed(total, 0),
        })}
      </span>
      <button
        type="button"
        className="ghost-button"
        disabled={offset + PAGE >= total}
        onClick={() => turn(offset + PAGE)}
      >
        {b("page.older", { count: PAGE })}
      </button>
    </div>
  );
}
