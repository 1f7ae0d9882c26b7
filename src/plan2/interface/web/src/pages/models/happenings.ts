/** Changes of a candidate's state and of its seats as one list. */

import { words } from "../../strings";
import { m } from "../../strings/models";
import type { Card } from "./candidate";

type Move = Card["history"][number];
type Seat = Card["seats"][number];
export type Happening = {
  key: string;
  at_us: number;
  words: string;
  by: string;
  reason: string;
  note: string;
};

/** Newest first; seats that changed hands together are one line with all their symbols. */
export function happenings(moves: readonly Move[], seats: readonly Seat[]): Happening[] {
  const together = new Map<string, Seat[]>();
  for (const seat of seats) {
    const key = [seat.at_us, seat.alias, seat.is_gained, seat.other].join(" ");
    together.set(key, [...(together.get(key) ?? []), seat]);
  }
  const found = [
    ...moves.map((move) => ({
      key: `${move.at_us} ${move.to_state}`,
      at_us: move.at_us,
      words: m("history.step", { before: words(move.from_state), after: words(move.to_state) }),
      by: move.by,
      reason: move.reason,
      note: move.is_override ? m("history.override") : "",
    })),
    ...[...together].map(([key, group]) => seatLine(key, group)),
  ];
  return found.toSorted((one, other) => other.at_us - one.at_us);
}

function seatLine(key: string, group: readonly Seat[]): Happening {
  const [first] = group as [Seat];
  const values = {
    symbols: group
      .map((seat) => seat.symbol)
      .toSorted()
      .join(", "),
    other: first.other,
  };
  return {
    key,
    at_us: first.at_us,
    words: seatWords(first, values),
    by: first.by,
    reason: first.reason,
    note: first.is_rollback ? m("history.rollback") : "",
  };
}

function seatWords(seat: Seat, values: { symbols: string; other: string }): string {
  if (seat.alias === "champion") {
    // Before the first one, and after one that was taken away, there is nobody to name.
    if (!seat.other)
      return seat.is_gained ? m("seat.champion_begun", values) : m("seat.champion_ended", values);
    return seat.is_gained ? m("seat.champion_gained", values) : m("seat.champion_lost", values);
  }
  if (seat.alias === "challenger")
    return seat.is_gained ? m("seat.challenger_gained", values) : m("seat.challenger_lost", values);
  return seat.is_gained ? m("seat.last_good_gained", values) : m("seat.last_good_lost", values);
}
