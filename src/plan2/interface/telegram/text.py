"""Messages as lines of styled text; escaping and cutting happen in one place, `messages`.

Nobody writes HTML: a line is made of plain spans, so nothing that a broker, a model or a person
wrote can become markup. Telegram takes 4,096 characters a message, counted in UTF-16 units.
Source of the rules: https://core.telegram.org/bots/api#html-style
"""

import html
from collections.abc import Iterable, Iterator
from typing import Final, Literal

import msgspec

MESSAGE_MAX: Final = 4_096
PIECE: Final = 300
"""Characters of a span that is too long for one message; escaped they take twelve times as many
units at the most."""
EMPTY: Final = "—"

Style = Literal["", "b", "i", "code"]


class Span(msgspec.Struct, frozen=True):
    """Some plain text in one style."""

    text: str
    style: Style = ""


class Line(msgspec.Struct, frozen=True):
    """One line; lines of a table stand under each other in a fixed width."""

    spans: tuple[Span, ...]
    is_table: bool = False


def line(*parts: str | Span) -> Line:
    """A line of plain text and styled spans."""
    return Line(tuple(Span(part) if isinstance(part, str) else part for part in parts))


def bold(text: str) -> Span:
    """Bold text."""
    return Span(text, "b")


def code(text: str) -> Span:
    """Text that is copied by a touch: ids, commands with arguments."""
    return Span(text, "code")


def table(rows: Iterable[tuple[str, ...]]) -> list[Line]:
    """Rows of cells as lines of fixed width; every column but the first is flush right."""
    cells = [tuple(_clean(cell).replace("\n", " ") for cell in row) for row in rows]
    count = max((len(row) for row in cells), default=0)
    padded = [row + ("",) * (count - len(row)) for row in cells]
    widths = [max(len(row[at]) for row in padded) for at in range(count)]
    return [
        Line(
            (
                Span(
                    "  ".join(
                        cell.ljust(width) if at == 0 else cell.rjust(width)
                        for at, (cell, width) in enumerate(zip(row, widths, strict=True))
                    ).rstrip()
                ),
            ),
            is_table=True,
        )
        for row in padded
    ]


def messages(lines: Iterable[Line]) -> list[str]:
    """The lines as messages of Telegram's HTML, each within the limit; at least one.

    A line is only divided where it alone is too long.
    """
    found: list[str] = []
    current: list[Line] = []
    for each in (piece for whole in lines for piece in _fitting(whole)):
        if current and units(_rendered([*current, each])) > MESSAGE_MAX:
            found.append(_rendered(current))
            current = []
        current.append(each)
    if current:
        found.append(_rendered(current))
    # A message without a visible character is refused.
    return [text if _shows(text) else EMPTY for text in found] or [EMPTY]


def units(text: str) -> int:
    """Length as Telegram counts it: UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def _fitting(whole: Line) -> Iterator[Line]:
    """The line itself, or pieces of it that fit a message each."""
    cleaned = Line(
        tuple(Span(_clean(span.text), span.style) for span in whole.spans), whole.is_table
    )
    if units(_rendered([cleaned])) <= MESSAGE_MAX:
        yield cleaned
        return
    for span in cleaned.spans:
        for start in range(0, len(span.text), PIECE):
            piece = Span(span.text[start : start + PIECE], span.style)
            yield Line((piece,), whole.is_table)


def _rendered(lines: list[Line]) -> str:
    parts: list[str] = []
    for at, each in enumerate(lines):
        was_table = at > 0 and lines[at - 1].is_table
        if at:
            parts.append("</pre>\n" if was_table and not each.is_table else "\n")
        if each.is_table and not was_table:
            parts.append("<pre>")
        parts.extend(_marked(span) for span in each.spans)
    if lines and lines[-1].is_table:
        parts.append("</pre>")
    return "".join(parts)


def _marked(span: Span) -> str:
    text = html.escape(span.text, quote=True)
    return f"<{span.style}>{text}</{span.style}>" if span.style and text else text


def _clean(text: str) -> str:
    """Text without what Telegram refuses: control characters and lone surrogates."""
    return "".join(
        each
        for each in text
        if (each >= " " or each in "\n\t") and each != "\x7f" and not "\ud800" <= each <= "\udfff"
    )


def _shows(text: str) -> bool:
    return bool("".join(text.split()).replace("<pre>", "").replace("</pre>", ""))
