"""The dialect of expressions: the same meaning for POSIX, Onigmo and Python, and a reason for what is refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.logging import model
from ansible_collections.devops.platform.plugins.module_utils.logging.lines import iso
from ansible_collections.devops.platform.plugins.module_utils.logging.patterns import PatternError, parse
from ansible_collections.devops.platform.plugins.module_utils.logging.times import TimeFormat


@pytest.mark.parametrize(
    ("source", "posix", "onigmo"),
    [
        (r"^a.b$", "^a.b$", r"(?m:\Aa.b\z)"),
        (r"(?i)(?<x>\d+)", "([0-9]+)", "(?mi:(?<x>[0-9]+))"),
        (r"(?:a|b)(?P<c>.)", "(a|b)(.)", "(?m:(?:a|b)(?<c>.))"),
        (r"[^\]\\^-]", r"[^]\^-]", r"(?m:[^\]\\\^\-])"),
        (r"[]a]", "[]a]", r"(?m:[\]a])"),
        (r"[\w.-]+\.", r"[A-Za-z0-9_.-]+\.", r"(?m:[A-Za-z0-9_.\-]+\.)"),
        (r"\S{2,4}", "[^ \t\n\r\f\v]{2,4}", r"(?m:[^ \t\n\r\f\v]{2,4})"),
        (r"a\/b", "a/b", r"(?m:a\/b)"),
    ],
)
def test_an_expression_in_each_dialect(source: str, posix: str, onigmo: str) -> None:
    assert (parse(source).posix(), parse(source).onigmo()) == (posix, onigmo)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("a*?", "lazy"),
        ("a++", "lazy"),
        ("(?=a)", "no lookahead"),
        (r"\bword", "no \\b"),
        (r"(a)\1", "back references"),
        ("[[:alpha:]]", "write a-zA-Z"),
        ("*a", "repeats nothing"),
        ("a{x}", "begins no count"),
        ("[a", "is not closed"),
        ("[z-a]", "is no range"),
        ("(a", "is no regular expression"),
        ("ü", "is not ASCII"),
        ("(?<a>x)(?<a>y)", "stands twice"),
        ("(x)" * 50, "rsyslog knows 49"),
        ("a\\", "ends with"),
    ],
)
def test_what_is_refused_and_why(source: str, words: str) -> None:
    with pytest.raises(PatternError, match=re.escape(words)):
        parse(source)


@given(st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=20))
def test_escaped_text_fits_itself(text: str) -> None:
    source = "".join(f"\\{char}" if char in r".^$*+?()[]{}|\/" else char for char in text)
    assert parse(f"^{source}$").python().search(text)


@given(
    st.sets(st.sampled_from("abc]^-\\.&[ "), min_size=1, max_size=6), st.booleans(), st.sampled_from("abc]^-\\.&[ xyz")
)
def test_a_set_has_its_members(members: set[str], negated: bool, asked: str) -> None:
    inside = "".join(f"\\{char}" for char in sorted(members) if char not in "abc")
    inside = "".join(char for char in sorted(members) if char in "abc") + inside
    pattern = parse(f"[{'^' if negated else ''}{inside}]")
    expected = (asked in members) != negated
    assert bool(pattern.python().search(asked)) == expected


@given(st.text(max_size=30))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        pattern = parse(text)
    except PatternError:
        return
    assert pattern.posix() is not None


@pytest.mark.parametrize("name", sorted(model.REDACTIONS))
def test_no_redaction_of_ours_fits_its_own_mask(name: str) -> None:
    [redaction] = [found for found in model.redactions_of({}) if found.name == name]
    assert not parse(redaction.secret).python().match(redaction.mask)


@pytest.mark.parametrize(
    ("format_", "text", "expected"),
    [
        ("rfc3339", "2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z"),
        ("rfc3339", "2026-11-21 10:00:00.5+0100", "2026-11-21T10:00:00.5+01:00"),
        ("rfc3339", "21.11.2026", ""),
        ("unix", "1795255200.25", "2026-11-21T10:00:00.25Z"),
        ("unix_ms", "1795255200250", "2026-11-21T10:00:00.250Z"),
        ("%d/%b/%Y:%H:%M:%S %z", "01/Feb/2026:03:04:05 -0130", "2026-02-01T03:04:05-01:30"),
        ("%d/%b/%Y:%H:%M:%S %z", "01/Foo/2026:03:04:05 +0000", ""),
        ("%Y-%m-%d %H:%M:%S.%f", "2026-02-01 03:04:05.1", "2026-02-01T03:04:05.1Z"),
    ],
)
def test_times(format_: str, text: str, expected: str) -> None:
    assert iso(text, TimeFormat(format_)) == expected


@pytest.mark.parametrize(
    ("format_", "words"),
    [
        ("%Q", "no token"),
        ("%H:%M:%S", "lacks the year"),
        ("%Y%Y-%m-%d %H:%M:%S", "twice"),
        ("%Y-%d %H:%M:%S", "lacks the month"),
    ],
)
def test_formats_that_are_none(format_: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TimeFormat(format_)
