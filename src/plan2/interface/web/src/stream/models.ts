/**
 * What a channel holds on the client: keyed rows (state) or an ordered tail (log).
 *
 * A snapshot replaces, never merges. A sequence number that does not follow the last one is a gap;
 * the caller then subscribes anew. Frames before the first snapshot are discarded.
 */

export type Row = readonly unknown[];
export type Applied = "applied" | "ignored" | "gap";

/** How the key of a row is found, and how many rows are kept (0 = all). */
export type Keying = { keyOf: (row: unknown) => string; keep: number };

const firstCell = (row: unknown): string => (Array.isArray(row) ? String(row[0]) : "");

const ONE_ROW = new Set(["account", "health", "broker"]);

/** Keys of the state channels; account, health and broker have one row. */
export function keyingOf(channel: string): Keying {
  if (ONE_ROW.has(channel)) return { keyOf: () => "", keep: 1 };
  return { keyOf: firstCell, keep: channel === "candle" ? 3 : 0 };
}

/** A row that only says that its key is gone: `[key, null]`. */
const isDeletion = (row: unknown): boolean =>
  Array.isArray(row) && row.length === 2 && row[1] === null;

const asRows = (body: unknown): unknown[] =>
  Array.isArray(body) ? (body as unknown[]) : body === null || body === undefined ? [] : [body];

export class StateModel {
  readonly rows = new Map<string, unknown>();
  seq = -1;
  isReady = false;
  private cached: unknown[] | null = null;

  constructor(private readonly keying: Keying) {}

  snapshot(seq: number, body: unknown): Applied {
    this.rows.clear();
    for (const row of asRows(body)) this.put(row);
    this.seq = seq;
    this.isReady = true;
    this.cached = null;
    return "applied";
  }

  delta(seq: number, body: unknown): Applied {
    if (!this.isReady) return "ignored";
    if (seq !== this.seq + 1) return "gap";
    this.seq = seq;
    for (const row of asRows(body)) this.put(row);
    this.cached = null;
    return "applied";
  }

  /** Rows in arrival order of their keys; the same array until something changes. */
  list(): unknown[] {
    this.cached ??= [...this.rows.values()];
    return this.cached;
  }

  /** Called before subscribing anew: old rows stay visible until the snapshot replaces them. */
  expectSnapshot(): void {
    this.isReady = false;
  }

  private put(row: unknown): void {
    const key = this.keying.keyOf(row);
    if (isDeletion(row)) this.rows.delete(key);
    else this.rows.set(key, row);
    if (this.keying.keep && this.rows.size > this.keying.keep) {
      const [oldest] = this.rows.keys();
      if (oldest !== undefined) this.rows.delete(oldest);
    }
  }
}

const LOG_KEEP = 500;

export class LogModel {
  seq: number | null = null;
  private items: unknown[] = [];

  /** An event of the log: applied once and in order, whatever arrives twice. */
  event(seq: number, item: unknown): Applied {
    if (this.seq !== null && seq <= this.seq) return "ignored";
    if (this.seq !== null && seq !== this.seq + 1) return "gap";
    this.seq = seq;
    this.items = [item, ...this.items].slice(0, LOG_KEEP);
    return "applied";
  }

  /** The position the server subscribed us from, when we had none. */
  startAt(seq: number | undefined): void {
    if (this.seq === null && seq !== undefined) this.seq = seq;
  }

  /** Forgets the position: another server run counts anew. */
  restart(): void {
    this.seq = null;
  }

  /** Newest first; the same array until something arrives. */
  list(): unknown[] {
    return this.items;
  }
}
