"""Which texts are JSON (RFC 8259), and which JSON we take: cases by hand, in three classes."""

import json
import math

import pytest

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.strict_json import DEPTH_MAX, DIGITS_MAX, parse

NOT_JSON = [
    *(b"", b" ", b"\t", b"\x00", b"\xef\xbb\xbf{}", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf"),
    *(b"[1 true]", b"[1,]", b"[,1]", b"[1,,2]", b"[,]", b"[", b"]", b"[1", b"[1}", b"[[]", b"[]]"),
    *(b"{", b"}", b"{]", b'{"a"}', b'{"a":}', b'{"a":1,}', b'{,"a":1}', b'{"a" 1}', b"{a:1}"),
    *(b"{'a':1}", b'{"a":1 "b":2}', b'{"a"::1}', b"{1:1}", b'{"a":1}}', b'{"a":1}#', b"{}{}"),
    *(b"[1]x", b"[1]\x00", b"1 2", b"[] []", b"/**/[]", b"[/*1*/]", b"[1]//", b"[1]#"),
    *(b"nan", b"NaN", b"[NaN]", b"Infinity", b"-Infinity", b"[Infinity]", b"[-Infinity]"),
    *(b"+1", b"[+1]", b"01", b"-01", b"[00]", b"1.", b".5", b"-.5", b"-", b"[-]", b"--1", b"1e"),
    *(b"1e+", b"1.e1", b"0x1", b"1_000", b"1e1.5", b"[1eE2]", b"[2.e3]", b"1e400", b"-1e400"),
    *(b"\xef\xbc\x91", b"[\xe2\x81\x84]", b"[1\xc2\xa0]", b"\xe2\x80\xa8[]", b"\x0c[]", b"\x0b1"),
    *(b"True", b"nul", b"tru", b"fals", b"TRUE", b"None", b"undefined", b"a", b"*"),
    *(b'"', b'"a', b"'a'", b'"\n"', b'"\t"', b'"\x00"', b'"\x1f"', b'"\\x41"', b'"\\a"', b'"\\"'),
    *(b'"\\u"', b'"\\u1"', b'"\\u12"', b'"\\u123"', b'"\\uXYZW"', b'"\\U0041"', b'"\\ "'),
    *(b'"\xe9"', b'"\xf8\x88\x80\x80\x80"', b'"\xfc\x80\x80\x80\x80\x80"', b"\xfe\xff\x00["),
]
"""Refused by the grammar, or as no UTF-8; the last numbers are beyond IEEE 754."""

JSON = [
    *(b"[]", b"{}", b"null", b"true", b"false", b"0", b"-0", b"1", b"-1", b"1.5", b"1e3", b"1E-3"),
    *(b"1e+2", b"0.1e1", b"-0.0", b"123456789012345678901234567890", b"1e-400", b'""', b'"a"'),
    *(b" [] ", b"\t\r\n{}\n", b"[1,2]", b"[ 1 , 2 ]", b"[[],[[]]]", b'{"a":{"b":[1]}}', b'{"":0}'),
    *(b'{"a b":1}', b'"\\""', b'"\\\\"', b'"\\/"', b'"\\b\\f\\n\\r\\t"', b'"\\u0041"'),
    b'"\\u00e9"',
    *(b'"\\ud83d\\ude00"', b'"\xf0\x9f\x98\x80"', b'"\xc3\xa9"', b'"\x7f"', b'"\xe2\x80\xa8"'),
    *(b'"\xef\xbf\xbf"', b'"\\u0012"', b'"\\\\u0000"', b'"\\\\ud800"', b'"[{\\"]}"'),
]

NOT_OURS = [
    (b'{"a":1,"a":1}', "json_duplicate_name"),
    (b'{"a":1,"\\u0061":2}', "json_duplicate_name"),
    (b'[{"x":{"":1,"":2}}]', "json_duplicate_name"),
    (b'"\\u0000"', "json_invalid"),
    (b'{"\\u0000":1}', "json_invalid"),
    (b'["\\ud800"]', "json_invalid"),
    (b'["\\udc00\\ud800"]', "json_invalid"),
    (b'{"a":["x\\udfff"]}', "json_invalid"),
    (b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1), "json_too_deep"),
    (b'{"a":' * 100_000, "json_too_deep"),
    (b"1" * (DIGITS_MAX + 1), "json_invalid"),
    (b"-" + b"9" * 5_000, "json_invalid"),
]
"""Legal by the grammar, and refused all the same."""


@pytest.mark.parametrize("body", NOT_JSON, ids=repr)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    """400 with a code, never anything else."""
    with pytest.raises(RequestRefused) as refused:
        parse(body)
    assert (refused.value.status, refused.value.code) == (400, "json_invalid")


@pytest.mark.parametrize("body", JSON, ids=repr)
def test_what_is_json_has_its_value(body: bytes) -> None:
    """The same value as the library's, and every number finite."""
    value = parse(body)
    assert value == json.loads(body)
    assert not isinstance(value, float) or math.isfinite(value)


@pytest.mark.parametrize(("body", "code"), NOT_OURS, ids=lambda each: repr(each)[:40])
def test_ambiguous_and_endless_json_is_refused(body: bytes, code: str) -> None:
    """Duplicate names, also by escapes; text that cannot be stored; depth; length of numbers."""
    with pytest.raises(RequestRefused) as refused:
        parse(body)
    assert (refused.value.status, refused.value.code) == (400, code)
