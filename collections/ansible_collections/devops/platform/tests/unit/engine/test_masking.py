"""Secrets leave no trace in what people read."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.engine.diff import diff_of
from ansible_collections.devops.platform.plugins.module_utils.engine.host import Found
from ansible_collections.devops.platform.plugins.module_utils.engine.masking import Mask, joined, spellings, unified
from ansible_collections.devops.platform.plugins.module_utils.engine.plan import Change, Plan
from ansible_collections.devops.platform.plugins.module_utils.engine.spec import Entry

KEY = b"k" * 32
SECRETS = st.text(alphabet=st.characters(exclude_categories=("Cs",)), min_size=6, max_size=40)


@given(SECRETS, st.sampled_from(range(4)))
def test_no_spelling_of_a_secret_survives(secret, which):
    mask = Mask(KEY, {"pw": secret}, {})
    forms = spellings(secret)
    form = forms[which % len(forms)]
    hidden = mask.hide(b"before\n" + form + b"\nafter")
    label = hidden.removeprefix(b"before\n").removesuffix(b"\nafter")
    assume(form not in b"before\n<secret pw #0123456789abcdef>\nafter")
    assert form not in hidden
    assert label.startswith(b"<secret pw #")


def test_the_usual_spellings():
    secret = 'pa"ss wörd%1\nline two'
    text = "\n".join(
        [secret, quote(secret, safe=""), json.dumps(secret), base64.b64encode(secret.encode()).decode(), "harmless"]
    )
    hidden = Mask(KEY, {"pw": secret}, {}).text(text)
    assert hidden.count("<secret pw #") == 4
    assert hidden.endswith("harmless")
    assert "line two" not in hidden


def test_the_longer_of_two_secrets_is_hidden_first():
    hidden = Mask(KEY, {"short": "abcdef", "long": "abcdefghij"}, {}).text("x abcdefghij y abcdef z")
    assert "ghij" not in hidden
    assert hidden.index("<secret long") < hidden.index("<secret short")


def test_former_secrets_are_found_by_their_digests_alone():
    before = Mask(KEY, {"pw": "old-secret"}, {})
    now = Mask(KEY, {"pw": "new-secret"}, before.record())
    content = b"password=old-secret;b64=" + base64.b64encode(b"old-secret") + b";x"
    hidden = now.hide_former(content)
    assert b"old-secret" not in hidden
    assert base64.b64encode(b"old-secret") not in hidden
    assert hidden.startswith(b"password=<secret pw #")
    assert hidden.endswith(b";x")
    assert b"old-secret" not in json.dumps(before.record()).encode()


def test_a_changed_secret_shows_as_a_changed_tag():
    one, two = (Mask(KEY, {"pw": value}, {}).text(value) for value in ("secret-one", "secret-two"))
    assert one != two
    assert one.startswith("<secret pw #")


def test_tags_depend_on_the_hosts_key():
    one, two = (Mask(key, {"pw": "secret-one"}, {}).text("secret-one") for key in (b"a", b"b"))
    assert one != two


def test_binary_content_is_told_by_its_size():
    assert unified("/x", b"\0ab", b"text") == "--- /x\n+++ /x\nbinary content: 3 bytes before, 4 after\n"


def test_a_new_file_comes_from_nowhere():
    assert unified("/x", b"", b"a\n").splitlines()[:2] == ["--- /dev/null", "+++ /x"]


def test_spellings_stand_in_one_order_in_every_process():
    forms = spellings("line-b\nline-a\nlonger line")
    assert forms == sorted(forms, key=lambda form: (-len(form), form))


def test_a_line_of_a_secret_of_several_lines_is_hidden_by_itself():
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nshort\n-----END KEY-----\n"
    shown = Mask(KEY, {"key": key}, {}).text("log ends in the middle of MIIEvQIBADANBgkq\nshort")
    assert "MIIE" not in shown
    assert shown.endswith("\nshort")


def test_what_comes_back_is_hidden_by_its_own_digests():
    """Of a generation that is gone back to, the values are not known, nor are they those of the one that is left."""
    older, newer = ({"secrets": Mask(KEY, {"pw": value}, {}).record()} for value in ("older-secret", "newer-secret"))
    mask = Mask(KEY, {}, joined(newer, older, None))
    change = Change("/c", "update", Found("file", content=b"pw=newer-secret\n"), Entry("/c", b"pw=older-secret\n"), "")
    told = diff_of(Plan(changes=(change,)), mask, {"/c"}, back=True)
    assert "er-secret" not in told
    assert told.count("pw=<secret pw #") == 2
