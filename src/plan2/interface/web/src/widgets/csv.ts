/** Rows as a CSV file for the spreadsheet (RFC 4180), made in the browser. */

import { downloadBlob } from "./download";

type Cell = string | number | null | undefined;

function quoted(cell: Cell): string {
  const text = cell === null || cell === undefined ? "" : String(cell);
  // A leading = + @ would run as a formula when a spreadsheet opens the file.
  const safe = typeof cell === "string" && /^[=+@]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The file's text; lines end with CRLF. */
export function csvText(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => `${row.map(quoted).join(",")}\r\n`).join("");
}

export function downloadCsv(title: string, rows: readonly (readonly Cell[])[]): void {
  const name = `plan2-${title.toLowerCase().replaceAll(/\W+/g, "-")}.csv`;
  downloadBlob(name, new Blob([csvText(rows)], { type: "text/csv" }));
}
