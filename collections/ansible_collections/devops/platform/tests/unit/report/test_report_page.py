"""The page as a whole: what of a journal is on it, and that nothing in a journal becomes part of it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from ansible_collections.devops.platform.plugins.module_utils.rollout.journal import Journal, JournalError
from ansible_collections.devops.platform.plugins.plugin_utils.report import files
from ansible_collections.devops.platform.plugins.plugin_utils.report.page import render
from ansible_collections.devops.platform.plugins.plugin_utils.report.view import Earlier
from ansible_collections.devops.platform.tests.unit.report import journals
from ansible_collections.devops.platform.tests.unit.report.journals import ALL, save

HOSTILE = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>{{ 7*7 }}\x1b[31m\u202e</style></title>\ud800"
VOID = {"meta", "link", "br", "img", "input"}


class Reader(HTMLParser):
    """What a browser would make of a page: elements in balance, links, and the text that is read."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.text += " "
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"{tag} in {self.open}"

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.text += data

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", self.text)


def read(name: str, **more) -> str:
    return Reader(render(ALL[name](), **more)).words


@pytest.mark.parametrize("name", ALL)
def test_every_page_stands_alone(name):
    """No request leaves it, whatever is in it."""
    page = render(ALL[name]())
    reader = Reader(page)
    outward = [(tag, attributes) for tag, attributes in reader.elements if {"src", "href", "action"} & set(attributes)]
    assert {tag for tag, _attributes in outward} <= {"use"}
    assert all(str(attributes["href"]).startswith("#i-") for _tag, attributes in outward)
    assert not re.search(r"url\((?!#)|@import|https?://(?!127\.0\.0\.1)", page)
    script = re.search(r"<script>(.*)</script>", page, re.DOTALL)
    assert script
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in page.replace("&#39;", "'")


@pytest.mark.parametrize("name", ALL)
def test_ids_are_there_once_and_all_that_is_referred_to(name):
    elements = Reader(render(ALL[name]())).elements
    ids = [attributes["id"] for _tag, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    referred = {str(attributes["aria-labelledby"]) for _tag, attributes in elements if "aria-labelledby" in attributes}
    assert referred <= set(ids)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("good", ["Done", "12 of 12 hosts changed", "4 of 4 waves proved", "8 of 8 gate objectives met", "6 min"]),
        (
            "breached",
            [
                "Taken back",
                "Turned back at 16:56:37 UTC in wave 3 of 4: gate: error ratio: 0.0399 is not",
                "6 of 12 hosts changed",
                "6 of 6 taken back",
                "2 of 4 waves proved",
                "never begun",
            ],
        ),
        (
            "incomplete",
            [
                "Not fully taken back",
                "5 of 6 taken back",
                "database is locked",
                "unreachable while being changed, unreachable while being taken back",
                "-e resume=20261121T165114Z-13746-chat -e reverse=true",
            ],
        ),
        ("resumed", ["Done", "in 2 runs within 2 h 14 min", "until the rollout was resumed (2 h 10 min)"]),
        (
            "unfinished",
            [
                "Unfinished",
                "2 of 4 hosts changed, or begun",
                "no answer",
                "go on",
                "or take it back",
                "and no end is known",
            ],
        ),
        ("interrupted", ["Taken back", "Interrupted by Ctrl-C (SIGINT) at", "in wave 2 of 3"]),
        ("unchanged", ["Nothing to do", "As declared already app1, app2, app3"]),
        ("hundred", ["100 of 100 hosts changed", "100 hosts: app1, app2, app3 and 97 more"]),
    ],
)
def test_what_is_said(name, expected):
    words = read(name)
    assert [part for part in expected if part not in words] == []


def test_hosts_that_are_as_declared_are_named():
    assert "1 host as declared already: app13." in read("good")


def test_hosts_nobody_came_to_are_not_said_to_be_as_declared():
    """Interrupted while it planned."""
    author = journals.Author([["app1"]]).begin()
    author.write("interrupted", signal="SIGTERM")
    author.write("stop", reason="interrupted")
    words = Reader(render(author.end("reversed", left={}))).words
    assert "Interrupted by SIGTERM" in words
    assert "declared" not in words


def test_generations_before_and_after():
    author = journals.Author([["app1"]]).begin().sort()
    author.wave(1)
    before, after = journals.digest("old", "app1")[:8], journals.digest("new", "app1")[:8]
    assert f"{before} → {after} restart · 16 s" in Reader(render(author.end("done"))).words
    author.back(["app1"])
    assert f"{before} → {after} → {before} restart" in Reader(render(author.end("reversed"))).words


def test_a_chart_has_words_for_those_who_do_not_see_it():
    labels = [attributes.get("aria-label") or "" for _tag, attributes in Reader(render(ALL["breached"]())).elements]
    (first, *_rest) = [label for label in labels if label.startswith("error ratio.")]
    assert first.startswith("error ratio. Changed hosts: 13 samples, from 0.00")
    assert first.endswith("Threshold: < 0.01.")


def test_where_one_can_go_back_to():
    before = Earlier("20261120T090000Z-77-chat", 1_795_165_200.0)
    words = read("good", earlier=[before], command="ansible-playbook -i there")
    assert "ansible-playbook -i there playbooks/rollback.yml -e to=20261121T165114Z-13746-chat" in words
    assert (
        "what the rollout of 2026-11-20 09:00:00 UTC left ansible-playbook -i there playbooks/rollback.yml -e to="
        in words
    )
    assert "rollback.yml -e to=20261121T165114Z-13746-chat" not in read("breached", earlier=[before])


def hostile(value: object) -> object:
    """An event with every text in it replaced by one that wants to be part of the page."""
    if isinstance(value, dict):
        return {key: item if key in ("event", "status", "result") else hostile(item) for key, item in value.items()}
    if isinstance(value, list):
        return [hostile(item) for item in value]
    return f"{value}{HOSTILE}" if isinstance(value, str) else value


@pytest.mark.parametrize("name", ["breached", "incomplete", "interrupted"])
def test_nothing_in_a_journal_becomes_part_of_the_page(name):
    events = [hostile(event) for event in ALL[name]()]
    page = render(events, [Earlier(HOSTILE, 0.0)], HOSTILE)
    plain, dangerous = Reader(render(ALL[name]())), Reader(page)
    assert {tag for tag, _attributes in dangerous.elements} <= {tag for tag, _attributes in plain.elements}
    assert page.count("<script") == 1
    assert [
        attributes for _tag, attributes in dangerous.elements if any(key.startswith("on") for key in attributes)
    ] == []
    assert not set("\x1b\u202e\ud800") & set(page)
    assert page.encode()
    assert "{{ 7*7 }}" in dangerous.text


@pytest.mark.parametrize(
    "events",
    [
        [],
        [{}],
        ["text", None, 7, []],
        [{"event": "begin", "at": "soon"}],
        [{"event": "begin", "at": float("nan")}],
        [{"event": "begin", "at": 1e300}],
        [{"event": "change", "at": 5}],
        [{"event": "waves", "at": 5, "waves": "all"}],
        [
            {"event": "waves", "at": 5, "waves": [["a"]]},
            {"event": "proof", "at": 6, "wave": "two", "objectives": [3, {}]},
        ],
        [{"event": "change", "at": 5, "host": "a", "status": "changed", "components": [{}]}],
        [{"event": "end", "at": 5, "result": "exploded", "left": ["a"]}],
        [{"event": "undo", "at": 9, "host": "a", "status": "odd"}, {"event": "stop", "at": 1}],
    ],
)
def test_odd_journals_have_a_page_too(events):
    Reader(render(events))


def test_events_of_a_later_version_are_counted_and_passed_over():
    events = ALL["good"]()
    plain = Reader(render(events)).words
    events[5:5] = [{"event": "telepathy", "at": events[5]["at"]}, {"event": "change", "at": 1.0}]
    words = Reader(render(events)).words
    assert "2 events of the journal could not be understood" in words
    assert plain.split("Timeline")[0] == words.split("Timeline")[0]


@pytest.mark.parametrize("kept", [0, 1, 2, 5, 17, 30])
def test_a_journal_that_ends_anywhere_has_a_page(kept):
    Reader(render(ALL["breached"]()[:kept]))


def test_a_torn_line_at_the_end_is_none(tmp_path):
    path = save(ALL["unfinished"](), tmp_path / "20261121T165114Z-13746-chat.jsonl")
    with path.open("a") as stream:
        stream.write('{"event": "change", "ho')
    report = files.write(path)
    assert report == path.with_suffix(".html")
    assert report.stat().st_mode & 0o777 == 0o600
    assert "Unfinished" in report.read_text()


def test_a_damaged_journal_has_none(tmp_path):
    path = tmp_path / "one.jsonl"
    path.write_text('{"event": "begin", "format": 1, "at": 5}\nrubbish\n{"event": "end"}\n')
    with pytest.raises(JournalError, match="damaged"):
        files.write(path)
    assert list(tmp_path.iterdir()) == [path]


def test_the_page_before_stays_where_a_new_one_cannot_be_written(tmp_path, monkeypatch):
    path = save(ALL["good"](), tmp_path / "one.jsonl")
    written = files.write(path).read_text()

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OSError, match="No space"):
        files.write(path)
    assert path.with_suffix(".html").read_text() == written
    assert len(list(tmp_path.iterdir())) == 2


def test_earlier_rollouts_are_those_of_the_same_target_that_hold(tmp_path):
    def one(name: str, target: str, result: str) -> None:
        events = journals.Author([["app1"]], target=target).begin().end(result)
        save(events, tmp_path / f"{name}.jsonl")

    for name, target, result in [
        ("1", "chat", "done"), ("2", "chat", "reversed"), ("3", "docker", "done"), ("4", "chat", "done"),
        ("5", "chat", "done"), ("6", "chat", "done"),
    ]:  # fmt: skip
        one(name, target, result)
    (tmp_path / "0.jsonl").write_text("rubbish")
    (tmp_path / "45.jsonl").write_bytes(b"\xff\n\xfe\n")
    assert [other.id for other in files.earlier(tmp_path / "5.jsonl")] == ["4", "1"]


def test_a_hundred_hosts_make_a_page_of_bearable_size():
    assert len(render(ALL["hundred"]())) < 400_000


def test_synthetic_journals_are_journals(tmp_path):
    for name, make in ALL.items():
        path = save(make(), tmp_path / f"{name}.jsonl")
        assert Journal(path).events() == json.loads(json.dumps(make()))
