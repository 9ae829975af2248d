# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a line that is written on a host arrives in Elasticsearch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ansible_collections.devops.platform.plugins.module_utils.journey.patience import Patience
from ansible_collections.devops.platform.plugins.module_utils.logging.model import own_cluster
from ansible_collections.devops.platform.plugins.module_utils.platform.model import Data, Groups, section

from .client import Elasticsearch, ElasticsearchError

TEXT = "devops.platform verifies that logs arrive:"


def verifiable(platform: Data, host: str, groups: Groups) -> bool:
    """Whether a line in the journal of `host` goes to the platform's own Elasticsearch: a source there takes all
    units."""
    sources = section(platform, "logging", "sources").values()
    taken = any(
        source.get("type") == "journal"
        and not source.get("units")
        and any(host in groups.get(str(group), ()) for group in source.get("groups") or ["all"])
        for source in sources
    )
    return taken and any(own_cluster(platform, str(name)) for name in section(platform, "logging", "outputs"))


def arrives(
    clients: Sequence[Elasticsearch], indexes: str, host: str, mark: str, write: Callable[[str], None], wait: Patience
) -> str:
    """Write a line with `mark`, which nobody else writes, and look for it; '' once it is there, else what is wrong."""
    write(f"{TEXT} {mark}")
    wrong = wait.until_empty(lambda: _missing(clients, indexes, host, mark))
    return wrong[0] if wrong else ""


def _missing(clients: Sequence[Elasticsearch], indexes: str, host: str, mark: str) -> list[str]:
    """The first node that answers is enough; what the last one said where none does."""
    filters = [{"match_phrase": {"message": mark}}, {"term": {"host": host}}]
    said = "platform.logging has no node of Elasticsearch"
    for client in clients:
        try:
            answer = client.ask("POST", f"/{indexes}/_count", {"query": {"bool": {"filter": filters}}})
        except ElasticsearchError as error:
            said = str(error)
            continue
        return [] if answer["count"] else [f"the line is not in {indexes}"]
    return [said]
