# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A rollout's report: one HTML file that needs nothing else. Pure: the same events, the same page."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ansible_collections.devops.platform.plugins.plugin_utils.report.story import tell
from ansible_collections.devops.platform.plugins.plugin_utils.report.view import Earlier, named, view
from ansible_collections.devops.platform.plugins.plugin_utils.report.words import clean, count, duration, short

HERE = Path(__file__).parent


def render(events: Iterable[Any], earlier: Sequence[Earlier] = (), command: str = "ansible-playbook") -> str:
    """The page of a journal's events.

    ``earlier``: what one can go back to, besides this rollout; ``command``: how ansible-playbook is called here.
    """
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(short=short, duration=duration, count=count, named=named)
    script = (HERE / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    template = environment.get_template("page.html.j2")
    # The script is our own, and has to stand there as it was digested.
    return template.render(view=view(tell(events), earlier, command), script=Markup(script), digest=digest)  # noqa: S704


def _visible(value: Any) -> Any:
    """Of the template's own markup nothing is changed, of all that comes from elsewhere what a page would obey."""
    return clean(value) if type(value) is str else value
