"""How a secret is replaced while it is in use: which steps are left, as pure functions of what its backend holds.

Nothing else is remembered. Each step may be repeated, and what a run that died has done shows in the stages of the
secret, so the next run goes on from there:

    stages held          what is left
    current              everything, if the secret is to be rotated
    current, pending     accept, prove, promote, and all that follows
    current, previous    deliver, drain, refuse, forget
    none                 stage and promote: nobody uses it yet

At each moment whoever checks a secret accepts the current value, the pending and the previous one, and whoever shows
it shows the current one: it does not matter in which order who checks and who shows are told, nor whether another run
tells them.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from ansible_collections.devops.platform.plugins.module_utils.platform.model import Data, section
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import (
    ALPHABET,
    ANSIBLE_VAULT,
    FILES,
    Declaration,
)

from .backend import Record, Stage
from .read import POSTGRESQL, SIGNING, login_of

CLONE = "_clone"  # as AWS calls the second of two users that take turns
DAY = 24 * 3600


class Step(Enum):
    STAGE = "stage"  # a new value, pending
    ACCEPT = "accept"  # who checks takes the pending one as well
    PROVE = "prove"  # it is shown to who checks, and taken
    PROMOTE = "promote"  # pending becomes current, current becomes previous
    DELIVER = "deliver"  # who shows it gets the current one
    DRAIN = "drain"  # what was made with the previous one ends
    REFUSE = "refuse"  # who checks takes the previous one no more
    FORGET = "forget"  # the backend holds the current one only


MAKE = (Step.STAGE,)
SWITCH = (Step.ACCEPT, Step.PROVE, Step.PROMOTE)
SETTLE = (Step.ACCEPT, Step.DELIVER, Step.DRAIN, Step.REFUSE, Step.FORGET)


def steps(held: Mapping[Stage, Record], *, due: bool, drained: bool = True, drains: bool = False) -> list[Step]:
    """What is left to do now. `due`: whether a rotation is to begin where none is under way.

    `drains`: what the previous value has made counts for a while after the promotion, and `drained` says whether that
    is over. Where it is not, the rotation rests there: a later run goes on.
    """
    left: list[Step] = []
    for step in _all_steps(held, due):
        if step is Step.DRAIN and not drained:
            break
        drained = drained and not (step is Step.PROMOTE and drains)
        left.append(step)
    return left


def _all_steps(held: Mapping[Stage, Record], due: bool) -> list[Step]:
    current, pending, previous = (held.get(stage) for stage in (Stage.CURRENT, Stage.PENDING, Stage.PREVIOUS))
    if current is None:
        return [*(() if pending else MAKE), Step.PROMOTE]
    # Equal where a promotion died between its writes: then nobody holds another one than the current value.
    unsettled = previous is not None and previous.text != current.text
    if pending is not None:
        # Somebody may still hold the previous value, and a promotion would let go of it: that one comes to its end
        # first.
        return [*(SETTLE if unsettled else ()), *SWITCH, *SETTLE]
    if previous is not None:
        return list(SETTLE)
    return [*MAKE, *SWITCH, *SETTLE] if due else []


def under_way(held: Mapping[Stage, Record]) -> bool:
    return len(held) > 1 or Stage.CURRENT not in held


@dataclass(frozen=True)
class Age:
    """``days`` since the current value was made; None where the backend cannot tell."""

    name: str
    seconds: float | None
    limit: int

    @property
    def due(self) -> bool:
        return self.seconds is not None and self.seconds >= self.limit * DAY


def age_of(name: str, held: Mapping[Stage, Record], declared: Declaration, now: float) -> Age:
    current = held.get(Stage.CURRENT)
    since = current.changed if current else None
    return Age(name, None if since is None else max(0.0, now - since), declared.max_age)


@dataclass(frozen=True)
class Plan:
    """What is left of one secret. ``resting``: until when, as seconds since 1970, its rotation only waits."""

    secret: str
    kind: str
    steps: tuple[Step, ...]
    age: Age
    resting: float | None = None

    @property
    def said(self) -> str:
        days = "unknown" if self.age.seconds is None else f"{self.age.seconds / DAY:.0f}"
        done = ", ".join(step.value for step in self.steps) or "nothing to do"
        about = f"{self.kind}, {days} of {self.age.limit} days old" if self.kind else "no value yet"
        return f"{self.secret} ({about}): {done}"


def plan(name: str, held: Mapping[Stage, Record], declared: Declaration, now: float, *, force: bool) -> Plan:
    """What a run does about a secret: what is left of a rotation, or a new one where it is due, or `force` asks for
    it."""
    age = age_of(name, held, declared, now)
    drain = drain_of(declared, name) * DAY
    since = age.seconds if age.seconds is not None else float(drain)
    begins = not under_way(held) and (force or age.due)
    left = steps(held, due=begins, drained=since >= drain, drains=drain > 0)
    resting = now - since + drain if Stage.PREVIOUS in held and Step.FORGET not in left else None
    return Plan(name, kind_of(declared, name), tuple(left), age, resting)


def drain_of(declared: Declaration, name: str) -> int:
    """Days for which what a previous value has made still counts: signatures last, connections need no value."""
    given = declared.names[name].get("drain")
    return int(given) if given is not None else (1 if kind_of(declared, name) == SIGNING else 0)


def rotated(declared: Declaration, only: Sequence[str] = ()) -> list[str]:
    """Names of the secrets that can be rotated, in the order in which that is done; of `only`, where that names any."""
    names = [name for name in sorted(declared.names) if declared.names[name].get("rotate")]
    return [name for name in names if not only or name in only]


def missing(declared: Declaration, foreign: Sequence[str] = ()) -> list[str]:
    """Names of the secrets that a rotation makes where they have no value yet: those of which all is declared here, and
    that are not `foreign`, made by somebody else."""
    if declared.backend in (FILES, ANSIBLE_VAULT):
        return []  # made by the first who asks, or by their owner
    elsewhere = ("of", "id", "key", "rotate")
    own = (name for name in declared.names if not any(declared.names[name].get(key) for key in elsewhere))
    return sorted(name for name in own if name not in foreign)


def kind_of(declared: Declaration, name: str) -> str:
    return str(declared.names[name].get("rotate") or "")


def new_value(declared: Declaration, name: str, held: Mapping[Stage, Record]) -> str:
    """A value for the next stage: letters and digits; of a database the user that takes the next turn comes with it."""
    value = "".join(secrets.choice(ALPHABET) for _ in range(declared.length(name)))
    if kind_of(declared, name) != POSTGRESQL:
        return value
    user = declared.login(name)
    current = held.get(Stage.CURRENT)
    shown = login_of(name, current.text, user)["username"] if current else ""
    return json.dumps({"username": other_user(user, shown), "password": value})


def other_user(user: str, current: str) -> str:
    """Of a user and its clone the one whose turn it is not."""
    return f"{user}{CLONE}" if current == user else user


def users_of(user: str) -> tuple[str, str]:
    """The user that owns what is made, and the one that takes turns with it."""
    return user, f"{user}{CLONE}"


def checked_by(kind: str) -> str:
    """Who checks such a secret: a server, or the applications themselves."""
    return "apps" if kind == SIGNING else kind


def postgresql_roles(platform: Data, logins: Mapping[str, Sequence[Mapping[str, str]]]) -> dict[str, object]:
    """What the role `postgresql` makes of database users: `{passwords: {user: password}, members: {user: owner},
    closed: [user]}`.

    `logins` is what is valid of each of their secrets. Users whose secret is rotated take turns with a clone: both
    exist, one that has no valid password is closed, and what either makes belongs to the first.
    """
    users = section(platform, "data", "postgresql", "users")
    names = section(platform, "secrets", "names")
    passwords: dict[str, str] = {}
    members: dict[str, str] = {}
    closed: list[str] = []
    for user in sorted(users):
        name = str(section(users, user)["password"])
        valid = {login["username"]: login["password"] for login in logins.get(name, ())}
        if section(names, name).get("rotate") != POSTGRESQL:
            passwords[user] = next(iter(valid.values()), "")
            continue
        owner, clone = users_of(user)
        members[clone] = owner
        passwords.update({one: valid[one] for one in (owner, clone) if one in valid})
        closed += [one for one in (owner, clone) if one not in valid]
    return {"passwords": passwords, "members": members, "closed": closed}
