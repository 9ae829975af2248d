"""People at browsers: headless Chromium, with what they see named as they would name it."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from ansible_collections.devops.platform.plugins.module_utils.journey import account
from tests.lab.harness.fleet import Fleet

URL = "https://chat.lab"
PATIENCE = 30_000  # milliseconds
PASSWORD = "correct horse battery"


@contextmanager
def chromium(fleet: Fleet) -> Iterator[Browser]:
    """Debian's Chromium, which takes chat.lab for the lab's edge, and its certificate for what it is."""
    program = shutil.which("chromium")
    assert program, "Chromium is missing: `apt-get install chromium` (`make test` does it)"
    certificate = x509.load_pem_x509_certificate((fleet.state.pki / "edge.crt").read_bytes())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pin = base64.b64encode(hashlib.sha256(key).digest()).decode()
    arguments = [
        f"--host-resolver-rules=MAP chat.lab {fleet.address(fleet.of('edge')[0])}",
        f"--ignore-certificate-errors-spki-list={pin}",
        "--no-sandbox",  # tests run as root
        "--disable-gpu",
        "--disable-quic",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        # Two windows on one screen: the one behind is to be as quick as the one in front.
        "--disable-backgrounding-occluded-windows",
        "--disable-renderer-backgrounding",
        "--disable-background-timer-throttling",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Person:
    """Somebody with a browser of their own: nobody else's cookies, storage or connection."""

    name: str
    context: BrowserContext
    page: Page
    errors: list[str]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.context.close()

    # What they do

    def sign_up(self) -> None:
        self.page.goto(URL)
        self.page.get_by_role("button", name="Create one").click()
        self._enter_credentials()
        self._press("Create account", self._any_room)

    def sign_in(self) -> None:
        self.page.goto(URL)
        self._enter_credentials()
        self._press("Sign in", self._any_room)

    def _enter_credentials(self) -> None:
        self.page.get_by_label("Name").fill(self.name)
        self.page.get_by_label("Password").fill(PASSWORD)

    def create(self, room: str) -> None:
        """By way of a room that is not there yet."""
        self.page.goto(f"{URL}/rooms/{room}")
        self.page.get_by_role("button", name=f"Create #{room}").click()
        self._press("Create", self._composer(room))

    def join(self, room: str) -> None:
        self.page.goto(f"{URL}/rooms/{room}")
        self._press(f"Join #{room}", self._composer(room))

    def _press(self, button: str, leads_to: Locator) -> None:
        """And once more where it says so: a browser gives up what is under way when the machine's networks change, and
        a host that comes back is such a change here."""
        unreached = self.page.get_by_role("alert").filter(has_text="cannot be reached")
        for _attempt in range(3):
            self.page.get_by_role("button", name=button, exact=True).click()
            expect(leads_to.or_(unreached).first).to_be_visible(timeout=PATIENCE)
            if leads_to.is_visible():
                return
        expect(leads_to).to_be_visible(timeout=PATIENCE)

    def write(self, room: str, text: str) -> None:
        """With the keyboard, as people do."""
        box = self._composer(room)
        box.fill(text)
        box.press("Enter")

    # What they see

    @property
    def _any_room(self) -> Locator:
        return self.page.get_by_role("main", name=re.compile("Room"))

    def _composer(self, room: str) -> Locator:
        return self.page.get_by_label(f"Message #{room}")

    def expect_message(self, room: str, text: str) -> None:
        expect(self._messages(room).filter(has_text=text).first).to_be_visible(timeout=PATIENCE)

    def expect_nothing_unsent(self) -> None:
        expect(self.page.get_by_role("list", name="Not sent yet")).to_have_count(0, timeout=90_000)

    def _messages(self, room: str) -> Locator:
        return self.page.get_by_role("region", name=f"Messages in {room}").locator("[data-key^=message-]")

    def read(self, room: str) -> list[str]:
        """The texts of the room's messages from top to bottom, once each time they are shown."""
        texts: list[str] = self._messages(room).locator("p.text").all_text_contents()
        return texts

    def look(self, path: Path) -> None:
        self.page.screenshot(path=path)


def person(browser: Browser, name: str, **options: object) -> Person:
    """`options` are those of a browser context, such as color_scheme or viewport."""
    context = browser.new_context(**options)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    return Person(name, context, page, errors)


def known(fleet: Fleet, *names: str) -> None:
    """Have accounts of these names, made at the first time: sign-ups from one address are limited."""
    for name in names:
        account.enter(fleet.edge, account.Account(name, PASSWORD))


def unused(stem: str) -> str:
    """A name that nobody has used in the lab before."""
    return f"{stem}-{uuid4().hex[:8]}"
