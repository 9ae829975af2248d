"""YAML with places: the same data as PyYAML's, the right lines, and an answer to whatever is not YAML."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.platform import positions
from ansible_collections.devops.platform.plugins.module_utils.platform.positions import Opaque, Raw, parse

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: name not in ("y", "n", "yes", "no", "on", "off", "true", "false", "null")
)
# YAML counts a few rare characters as ends of lines, which editors don't.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x85\u2028\u2029"), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
DATA = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=20
)


@given(DATA, st.booleans())
def test_data_is_what_pyyaml_reads(data, flow):
    text = yaml.safe_dump(data, default_flow_style=flow, allow_unicode=True)
    document = parse(text, "f.yml")
    assert document.problems == []
    assert document.data == yaml.safe_load(text)


@given(st.dictionaries(NAMES, DATA, min_size=1, max_size=5))
def test_every_key_stands_where_its_place_says(data):
    text = yaml.safe_dump(data, default_flow_style=False, allow_unicode=True, width=10_000)
    lines = text.split("\n")
    document = parse(text, "f.yml")
    assert {path[0] for path in document.keys if len(path) == 1} == set(data)
    for path, (line, column) in document.keys.items():
        assert lines[line - 1][column - 1 :].startswith(f"{path[-1]}:")


@given(st.text(max_size=60))
def test_any_text_gets_an_answer(text):
    document = parse(text, "f.yml")
    if not document.readable:
        assert document.problems
        assert all(1 <= problem.line <= text.count("\n") + len(text.splitlines()) + 1 for problem in document.problems)


@given(st.binary(max_size=60))
def test_any_bytes_get_an_answer(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("bytes") / "f.yml"
    path.write_bytes(data)
    document = positions.read(path, "f.yml")
    assert document.readable or document.problems


PROBLEMS = [
    ("a: 1\na: 2\n", "f.yml:2:1: error: a: duplicate key; it stands in line 1 already, and only one of them can count"),
    ("a: @b\n", "a value that begins with @ needs quotes"),
    ("a: `b\n", "a value that begins with ` needs quotes"),
    ("a:\n\tb: 1\n", "f.yml:2:1: error: not YAML: found character that cannot start any token"),
    ("a:\n\tb: 1\n", "indent with spaces, not tabs"),
    ("a: b: c\n", "quote a value that holds ': ', and check the indentation above"),
    (
        "a:\n  b: [1\nc: 2\n",
        "(while parsing a flow sequence that begins in line 2); a bracket or brace is not closed, or a comma",
    ),
    ("a: 'b\nc: 1\n", "(while scanning a quoted scalar that begins in line 1); a quote is not closed"),
    ('a: "b" c\n', "check the indentation here and above, and what stands behind a closing quote"),
    ("a: [1\nb: 2\n", "f.yml:2:2: error: not YAML: did not find expected ',' or ']'"),
    ("a: [\n", "a bracket or brace is not closed, or a value is missing"),
    ("a: b\n c: d\n", "f.yml:2:3: error: not YAML: mapping values are not allowed"),
    ("---\na: 1\n---\nb: 2\n", "f.yml:3:1: error: not YAML: but found another document"),
    ("1: a\n", 'f.yml:1:1: error: the key 1 is read as a number; quote it: "1"'),
    ("yes: a\n", 'f.yml:1:1: error: the key yes is read as true or false; quote it: "yes"'),
    ("[a]: b\n", "f.yml:1:1: error: a key must be plain text, not a list or mapping"),
    ("a: !foo b\n", "f.yml:1:4: error: a: unknown tag !foo; plain values, !unsafe and !vault are understood"),
    ("a: 2024-13-45\n", "f.yml:1:4: error: a: '2024-13-45' looks like a number or date and is none; quote it"),
    ("a: *b\n", "f.yml:1:4: error: not YAML: found undefined alias"),
    ("a: &a [*a]\n", "an alias contains itself"),
    ("a: &a {b: 1}\nc: {<<: [1]}\n", "f.yml:2:10: error: c: '<<' takes a mapping, or a list of mappings"),
    (
        "$ANSIBLE_VAULT;1.1;AES256\n61\n",
        "the file is encrypted; keep it readable, and encrypt the values of secrets only",
    ),
    ("b: 1\na: \x07\n", "f.yml:2:1: error: not YAML: control characters are not allowed"),
    ("a: " + "[" * 70 + "]" * 70, "nested too deeply"),
    ("[" * 100_000, "f.yml:1"),
    (
        "a: &a [0,0,0,0,0,0,0,0,0,0]\n"
        + "".join(
            f"{b}: &{b} [{','.join(f'*{a}' for _ in range(10))}]\n" for a, b in zip("abcde", "bcdef", strict=True)
        ),
        "too much data; aliases (*name) multiply it",
    ),
]


@pytest.mark.parametrize(("text", "message"), PROBLEMS)
def test_what_is_wrong_is_said_with_its_place(text, message):
    document = parse(text, "f.yml")
    assert message in "\n".join(map(str, document.problems))


def test_not_utf8(tmp_path):
    (tmp_path / "f.yml").write_bytes(b"a: 1\nb: \xff\n")
    assert list(map(str, positions.read(tmp_path / "f.yml", "f.yml").problems)) == [
        "f.yml:2:1: error: the file is not UTF-8 text"
    ]


@pytest.mark.parametrize(
    ("text", "readable", "loadable"),
    [("a: 1", True, True), ("a: 1\na: 2", True, True), ("a: !foo b", True, False), ("a: [", False, False)],
)
def test_what_ansible_could_load(text, readable, loadable):
    document = parse(text, "f.yml")
    assert (document.readable, document.loadable) == (readable, loadable)


def test_tags_of_ansible():
    document = parse("a: !vault |\n  x\nb: !unsafe '{{ c }}'\n", "f.yml")
    assert document.problems == []
    assert isinstance(document.data["a"], Opaque)
    assert "x" not in document.data["a"]
    assert isinstance(document.data["b"], Raw)
    assert document.data["b"] == "{{ c }}"


def test_merged_keys_stand_where_they_were_written():
    document = parse("base: &base {a: 1, b: 2}\nuse:\n  <<: *base\n  b: 3\n", "f.yml")
    assert document.data["use"] == {"a": 1, "b": 3}
    assert document.place(("use", "a"), at_key=True)[0] == 1
    assert document.place(("use", "b"), at_key=True)[0] == 4


def test_what_is_not_there_is_placed_at_its_nearest_parent():
    document = parse("a:\n  b: [1, 2]\n", "f.yml")
    assert document.place(("a", "b", 1)) == (2, 10)
    assert document.place(("a", "c", "d")) == (1, 1)
    assert document.place(("z",)) == (1, 1)


@pytest.mark.parametrize(
    ("path", "shown"),
    [((), ""), (("a", "b"), "a.b"), (("a", 0, "b"), "a[0].b"), (("a", "b.c"), 'a["b.c"]'), (("a", ""), 'a[""]')],
)
def test_paths_are_shown_as_people_write_them(path, shown):
    assert positions.show(path) == shown
