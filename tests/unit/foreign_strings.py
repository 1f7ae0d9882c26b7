"""Some thousands of texts that mean something elsewhere, made by code: seeds in many disguises.

Of our own making, by kind: SQL, paths, shells and templates, pages, formulas of spreadsheets, JSON
and headers, characters that hide or turn round, things that look like numbers, and the very long.
"""

import base64
import itertools
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import quote

SQL: Final = [
    f"{opening}{middle}{closing}"
    for opening, middle, closing in itertools.product(
        ("'", '"', "')", "1", "1)", "\\'", "$$", "`"),
        (
            " or 1=1", " union select null,null", "; drop table app_user", "; select pg_sleep(9)",
            " and 1=cast(version() as int)", "; copy x to program 'id'", " or ''='",
            "; set app.tenant_id to 'other'", "/**/or/**/true", "||(select 1)",
        ),
        ("", " --", "/*", ";"),
    )
]  # fmt: skip
PATHS: Final = [
    f"{step * depth}{target}"
    for step, depth, target in itertools.product(
        ("../", "..\\", "....//", "%2e%2e/", "..%2f", "..;/", "%252e%252e%252f", "/"),
        (1, 6),
        ("etc/passwd", "windows/win.ini", "keys/root.json", "proc/self/environ", "\x00.json", "."),
    )
]
RUN: Final = [
    f"{before}{command}{after}"
    for (before, after), command in itertools.product(
        (
            ("$(", ")"), ("`", "`"), ("; ", ""), ("| ", ""), ("&& ", ""), ("\n", "\n"),
            ("{{", "}}"), ("${", "}"), ("<%=", "%>"), ("#{", "}"), ("{%", "%}"), ("{", "}"),
            ("%(", ")s"), ("[[", "]]"), ("*{", "}"), ("@(", ")"), ("${jndi:ldap://127.0.0.1/", "}"),
        ),
        ("touch /tmp/run", "7*7", "self.__class__", "0.__init__.__globals__", "a", "id"),
    )
]  # fmt: skip
PAGES: Final = [
    shape.format(code)
    for shape, code in itertools.product(
        (
            "<script>{}</script>", '"><img src=x onerror={}>', "javascript:{}", "<svg/onload={}>",
            "'-{}-'", "</title><script>{}</script>", "<a href='javascript:{}'>", "<!--{}-->",
            "<![CDATA[{}]]>", "<!ENTITY x SYSTEM '{}'>", "<style>@import'{}'</style>",
            "<iframe srcdoc='{}'>", "data:text/html,{}", "<math><mtext></p><script>{}",
        ),
        ("alert(1)", "fetch('//a')", "\\u0061lert(1)", "//127.0.0.1", "1"),
    )
]  # fmt: skip
FORMULAS: Final = [
    f"{space}{sign}{body}"
    for space, sign, body in itertools.product(
        ("", " ", "\t", "\r", "\n", "\u00a0", "\ufeff"),
        ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'="),
        ("cmd|' /C calc'!A0", "1+1", 'HYPERLINK("//a")', "SUM(1)*2", "-5.25", ""),
    )
]
WIRE: Final = [
    f"a{line}{rest}"
    for line, rest in itertools.product(
        ("\r\n", "\n", "\r", "\u2028", "\u0085", "%0d%0a", "\\r\\n"),
        (
            "Set-Cookie: p2_session=x", "\r\nHTTP/1.1 200 OK", '"} {"a":1', "]}", '","admin":true',
            "__proto__", "{'$gt': ''}", "0\r\n\r\n", "event: x\ndata: y", "a=b&c=d",
        ),
    )
]  # fmt: skip
MARKS: Final = [
    f"{before}{chr(code)}{after}"
    for (before, after), code in itertools.product(
        (("", ""), ("EUR", "USD"), ("", "admin")),
        (
            *range(0x20), 0x7F, *range(0x80, 0xA1), 0xAD, 0x34F, 0x61C, 0x115F, 0x180E,
            *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0x3164, 0xFEFF,
            0xFFF9, 0xFFFD, 0xFFFE, 0xFFFF, 0x1D173, 0xE0001, 0xE0041, 0x10FFFF, 0xF900, 0x1F600,
        ),
    )
]  # fmt: skip
SCRIPTS: Final = [
    "Ω≈ç√∫", "田中さん", "👩‍👩‍👧‍👦", "Z̮̞̠͙͔ͅa̭l̗g̩o", "ﷺ", "ǆ", "İstanbul", "ßẞ", "ﬁ",
    "Å\u212b\u0041\u030a", "раураӏ", "ⓐⓓⓜⓘⓝ",
    "１２３", "٣٤٥", "مرحبا", "שלום", "हिन्दी", "ไทย", "한국어\u1112\u1161\u11ab", "\U0001d4d0",
]  # fmt: skip
NUMBERS: Final = [
    f"{sign}{number}"
    for sign, number in itertools.product(
        ("", "-", "+", " ", "0"),
        (
            "0", "1e999", "1e-999", "0x10", "0b1", "0o7", "NaN", "nan", "Infinity", "inf", "1_000",
            "1,000.5", "1.000,5", "9" * 40, "2147483648", "9223372036854775808", "1e308", ".5",
            "5.", "1/0", "1e", "true", "null", "None", "undefined", "2024-02-30",
        ),
    )
]  # fmt: skip
NAMES: Final = [
    *("AUX", "CON", "NUL", "COM1", "LPT1.txt", ".", "..", "~", "~root", "-rf", "--help", "*", "?"),
    *("admin", "root", "default", "public", "pg_catalog", "information_schema", "system", "None"),
]
LONG: Final = [
    unit * count for unit in ("a", "é", "田", "👩‍👩", "(", "' ", "\\") for count in (129, 5_000)
]
SEEDS: Final = [
    *SQL, *PATHS, *RUN, *PAGES, *FORMULAS, *WIRE, *MARKS, *SCRIPTS, *NUMBERS, *NAMES, *LONG,
]  # fmt: skip


def _entities(text: str) -> str:
    return "".join(f"&#{ord(each)};" for each in text)


def _escaped(text: str) -> str:
    return "".join(f"\\u{ord(each):04x}" for each in text)


def _full_width(text: str) -> str:
    return "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text)


DISGUISES: Final[tuple[Callable[[str], str], ...]] = (
    quote,
    lambda text: quote(quote(text)),
    _entities,
    _escaped,
    lambda text: base64.b64encode(text.encode()).decode(),
    _full_width,
    "\u200b".join,
    lambda text: f"\u202e{text}\u202c",
    lambda text: unicodedata.normalize("NFD", text.swapcase()),
)
"""What a text looks like after somebody tried to get it past a filter."""
EVERY: Final = 3
"""Every how many seeds one is disguised, in each way in turn."""


def foreign_strings() -> list[str]:
    """All of them, each once, in the same order every time."""
    return list(dict.fromkeys(_all()))


def _all() -> Iterator[str]:
    yield from SEEDS
    for number, seed in enumerate(SEEDS[::EVERY]):
        if len(seed) <= 200:
            for turn in range(5):
                yield DISGUISES[(number + turn * 2) % len(DISGUISES)](seed)
