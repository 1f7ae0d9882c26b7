"""A page that stands alone: no script, no address, no font from elsewhere.

It works from a disk, in a mail, on paper and under the strictest content security policy.
Everything that is not our own text is escaped.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

STYLE: Final = """
:root{color-scheme:light dark;--ink:#1c2024;--paper:#fff;--soft:#f2f4f6;--line:#d5dae0;
--series-0:#2563a8;--series-1:#b4530a;--series-2:#2b7a3f;--series-3:#8a3ab9;--series-4:#a8274a;
--series-5:#5b6b00;--series-6:#00747c;--series-7:#6b7280}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ec;--paper:#15181b;--soft:#1f2428;
--line:#39414a;--series-0:#7db4f0;--series-1:#f0a35e;--series-2:#79c98d;--series-3:#c99af0;
--series-4:#f08aa6;--series-5:#c9d36a;--series-6:#63cdd6;--series-7:#a3abb5}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:0 auto;
max-width:60rem;padding:1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
.verdict{font-size:1.15rem;background:var(--soft);border-left:.4rem solid var(--series-0);
padding:.8rem 1rem}.flag{border-color:var(--series-4)}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.875rem}
th,td{padding:.25rem .6rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left}svg{max-width:100%;height:auto}
.pair{display:flex;flex-wrap:wrap;gap:1rem}
dl{display:grid;grid-template-columns:auto 1fr;gap:0 1rem}
dd{margin:0;overflow-wrap:anywhere}small{opacity:.8}summary{cursor:pointer;padding:.3rem 0}
.prose td:last-child,.prose th:last-child{white-space:normal;text-align:left;min-width:14rem}
@media print{.wide{overflow:visible}::details-content{content-visibility:visible!important}}
"""
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def document(title: str, body: str) -> str:
    """The whole file around a body of our own HTML."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body><main>\n{body}\n</main></body></html>\n"
    )


def section(title: str, content: str) -> str:
    """A part with a heading; the content is HTML already."""
    return f"<section><h2>{escape(title)}</h2>\n{content}\n</section>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of plain text that scrolls where it is too wide."""
    first = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    rest = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    whole = f"<table><thead><tr>{first}</tr></thead><tbody>{rest}</tbody></table>"
    return f'<div class="wide">{whole}</div>'
