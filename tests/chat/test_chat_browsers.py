"""Two people chat in browsers through the edge, while application hosts go and come back."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser

from lab.runtime import PREFIX
from tests.chat.harness.browser import Person, known, person, unused
from tests.lab.harness.fleet import Fleet, until


def test_two_people_lose_nothing_while_hosts_go_and_come_back(
    fleet: Fleet, browser: Browser, screenshots: Path
) -> None:
    """Each application host is stopped once, and comes back, while both write all the time."""
    room = unused("room")
    known(fleet, "ann", "bob")
    with person(browser, "ann") as ann, person(browser, "bob", color_scheme="dark") as bob:
        for somebody in (ann, bob):
            somebody.sign_in()
        ann.create(room)
        bob.join(room)
        written = Writing(room, ann, bob)
        written.both()
        ann.expect_message(room, written.texts[-1])
        look(screenshots, "1-before", ann, bob)
        for number, host in enumerate(fleet.of("app"), start=2):
            with stopped(fleet, host):
                for _turn in range(10):
                    written.both()
                    ann.page.wait_for_timeout(500)
                look(screenshots, f"{number}-without-{host}", ann, bob)
            written.both()
        for somebody in (ann, bob):
            somebody.expect_nothing_unsent()
            for text in written.texts[-2:]:
                somebody.expect_message(room, text)
        look(screenshots, "9-after", ann, bob)
        # The whole history from the start, as both see it: nothing lost, nothing doubled, one order.
        assert sorted(ann.read(room)) == sorted(written.texts)
        assert ann.read(room) == bob.read(room)
        for somebody in (ann, bob):
            mine = [text for text in ann.read(room) if text.startswith(somebody.name)]
            assert mine == [text for text in written.texts if text.startswith(somebody.name)]
            assert somebody.errors == []
        ann.page.reload()
        ann.expect_message(room, written.texts[-1])
        print(
            f"\n{len(written.texts)} messages by two people while {len(fleet.of('app'))} hosts went and came back: "
            "none lost, none doubled"
        )


def test_what_is_written_offline_is_sent_later_and_once(fleet: Fleet, browser: Browser, screenshots: Path) -> None:
    """Also where the page is loaded anew in between."""
    room = unused("room")
    known(fleet, "ann")
    with person(browser, "ann") as ann, person(browser, unused("new")) as new:
        ann.sign_in()
        new.sign_up()
        new.create(room)
        ann.join(room)
        new.context.set_offline(True)
        texts = [f"offline {number}" for number in range(3)]
        for text in texts:
            new.write(room, text)
        look(screenshots, "offline", new)
        new.context.set_offline(False)
        new.page.reload()
        for somebody in (new, ann):
            somebody.expect_message(room, texts[-1])
        new.expect_nothing_unsent()
        assert ann.read(room) == texts
        assert new.read(room) == texts


def test_markup_is_text_to_everybody(fleet: Fleet, browser: Browser, screenshots: Path) -> None:
    """What one writes is never run at another's."""
    room = unused("room")
    attack = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    known(fleet, "mal", "vic")
    narrow = {"width": 360, "height": 640}
    with person(browser, "mal") as mal, person(browser, "vic", viewport=narrow) as vic:
        for somebody in (mal, vic):
            somebody.sign_in()
        mal.create(room)
        vic.join(room)
        mal.write(room, attack)
        vic.expect_message(room, "onerror")
        look(screenshots, "narrow", vic)
        assert vic.read(room) == [attack]
        assert "owned" not in vic.page.title()


class Writing:
    """Messages of two people, numbered, as they were written."""

    def __init__(self, room: str, *people: Person) -> None:
        self.room, self.people = room, people
        self.texts: list[str] = []

    def both(self) -> None:
        for somebody in self.people:
            text = f"{somebody.name} writes number {len(self.texts)}."
            somebody.write(self.room, text)
            self.texts.append(text)


def look(folder: Path, name: str, *people: Person) -> None:
    for somebody in people:
        somebody.look(folder / f"{name}-{somebody.name.split('-')[0]}.png")


@contextmanager
def stopped(fleet: Fleet, host: str) -> Iterator[None]:
    """Power off, and on again; what runs there is back, and the edge knows it, before the next one goes."""
    docker = ["docker", "--log-level", "error"]
    subprocess.run([*docker, "stop", "--timeout", "20", f"{PREFIX}-{host}"], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run([*docker, "start", f"{PREFIX}-{host}"], check=True, capture_output=True)
        until(f"{host}'s containers", lambda: well(fleet, host), seconds=120)
        time.sleep(6)  # longer than the edge's fail_timeout: it tries the host again


def well(fleet: Fleet, host: str) -> bool:
    states = fleet.attempt(host, "docker", "ps", "--format", "{{.Status}}").stdout.splitlines()
    return len(states) >= 3 and all("(healthy)" in state for state in states)
