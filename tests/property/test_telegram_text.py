"""Messages hold whatever they are given: nothing becomes markup or is lost, and all of it fits."""

from hypothesis import given
from hypothesis import strategies as st

from plan2.interface.telegram.text import MESSAGE_MAX, Line, Span, messages, table, units
from telegram_server import read_markup

NASTY = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "<b>", "</pre>", "&lt;", "a<b>c</i>&amp;", "&#x27;", "*_`[]()~>#+-=|{}.!\\",
            "\ud800", "\x00\x07", "😀" * 40, "</code><a href='tg://user?id=1'>x</a>", "<!-- -->",
        ]
    ),
)  # fmt: skip
STYLES = st.sampled_from(["", "b", "i", "code"])
SPANS = st.builds(Span, NASTY, STYLES)
LINES = st.lists(
    st.builds(Line, st.lists(SPANS, max_size=4).map(tuple), st.booleans()), max_size=12
)


def kept(text: str) -> str:
    """What of a text a message can carry, without white space."""
    cleaned = "".join(
        each for each in text if each >= " " and each != "\x7f" and not "\ud800" <= each <= "\udfff"
    )
    return "".join(cleaned.split())


@given(LINES)
def test_every_message_is_good_markup_and_says_exactly_what_was_said(lines: list[Line]) -> None:
    """Known tags, closed in order; the plain text is the spans' text, whatever was in it."""
    sent = messages(lines)
    read = [read_markup(each) for each in sent]
    assert [each.problem for each in read] == [""] * len(sent)
    said = kept("".join(span.text for line in lines for span in line.spans))
    assert kept("".join(each.text for each in read)) == said or (not said and sent == ["—"])


@given(st.lists(st.builds(Span, st.text(min_size=1, max_size=3_000), STYLES), max_size=8))
def test_no_message_is_too_long_or_empty(spans: list[Span]) -> None:
    """Telegram's limit counts UTF-16 units; the markup is counted too, to be sure."""
    for message in messages([Line(tuple(spans)), Line(tuple(spans), is_table=True)]):
        assert units(message) <= MESSAGE_MAX
        assert message.strip()


@given(st.lists(st.tuples(NASTY, NASTY, NASTY), min_size=1, max_size=6))
def test_rows_of_a_table_are_one_line_each(rows: list[tuple[str, ...]]) -> None:
    """A cell cannot break its row."""
    lines = table(rows)
    assert len(lines) == len(rows)
    assert all("\n" not in span.text for line in lines for span in line.spans)
