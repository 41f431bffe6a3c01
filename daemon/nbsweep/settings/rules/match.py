"""`match`: the vocabulary of conditions, and its way into the core."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StrictBool, StrictInt, StrictStr, WithJsonSchema, model_validator

from nbsweep.core.facts import NAME_KEYS, STARTS
from nbsweep.core.matching.conditions import AllOf, AnyOf, CapacityOver, Condition, LeaseEnabled, LongerThan, Not, TagIs, TextIs
from nbsweep.core.matching.globs import Glob
from nbsweep.core.matching.owner_groups import PREFIX, OwnerGroup
from nbsweep.core.model import IN_TRANSITION, LeaseType, Status
from nbsweep.core.reasons.finding import Truth
from nbsweep.settings.fields.base import Group
from nbsweep.settings.fields.types import IfGiven, OneOrMore
from nbsweep.settings.fields.units import Duration

DELETABLE = tuple(status for status in Status if status not in IN_TRANSITION | {Status.DELETED})
"""The states from which a deletion may begin, if need be with a stop."""

SEPARATOR = re.compile("[,;|{}\n\r\t\uff0c\u3001\uff1b]")
"""None of these is in a name, a flavor, an image's path or a tag of ModelArts (ModelArts API, section 1)."""


def _glob(text: str) -> str:
    if not text:
        raise ValueError("must not be empty; '*' matches everything")
    try:
        Glob(text)
    except ValueError:
        raise ValueError("is no glob: a '[' is not closed; write '[[]' for a bracket itself") from None
    return text


def _one(text: str) -> str:
    if SEPARATOR.search(text):
        raise ValueError(
            "contains a separator (one of , ; | { } or a line end), and as one glob would match nothing: write a list, "
            "[a, b], with a variable of its own for each where they come from the environment, or ? for the character itself"
        )
    return text


def _deletable(status: Status) -> Status:
    if status not in DELETABLE:
        raise ValueError(f"is a state in which no notebook is deleted; a policy may name {', '.join(DELETABLE)}")
    return status


TextGlobs = OneOrMore[Annotated[StrictStr, AfterValidator(_glob)]]
OneGlob = Annotated[StrictStr, AfterValidator(_glob), AfterValidator(_one)]
Globs = OneOrMore[OneGlob]
Deletable = Annotated[Status, AfterValidator(_deletable), WithJsonSchema({"enum": list(DELETABLE), "type": "string"})]
Gigabytes = Annotated[StrictInt, Field(ge=1)]


OwnerGroups = Mapping[str, OwnerGroup]
"""Groups of owners by name."""
NO_GROUPS: OwnerGroups = {}


class MatchSettings(Group):
    """Conditions, all of which must hold; a list holds alternatives. Text is matched by shell globs: * ? [abc]."""

    status: OneOrMore[Status] = ()
    """The state, as in the API."""
    feature: OneOrMore[Literal["NOTEBOOK", "DEFAULT"]] = ()
    """NOTEBOOK is the billed kind, DEFAULT the free CodeLab."""
    name: Globs = ()
    """The notebook's name; upper and lower case are the same."""
    owner: Globs = ()
    """The owner's user name or id; upper and lower case are the same. @team stands for the owners of that group."""
    workspace: Globs = ()
    """The workspace's id; "0" is the default workspace."""
    flavor: Globs = ()
    """The flavor; upper and lower case are the same."""
    pool: Globs = ()
    """The dedicated pool's name or id; upper and lower case are the same. A notebook in a public pool matches nothing here."""
    image: Globs = ()
    """The image's name, SWR path or id; upper and lower case are the same."""
    tags: IfGiven[Annotated[Mapping[str, Globs], Field(min_length=1)]] = None
    """For each tag key the values that match: all these tags must be there. "*" is any value."""
    fail_reason: TextGlobs = ()
    """The cloud's message about a failure."""
    billing: OneOrMore[Literal["STORAGE", "COMPUTE", "ALL"]] = ()
    """What is billed."""
    volume_category: OneOrMore[Literal["SFS", "EVS", "OBS", "OBSFS", "EFS"]] = Field(default=(), alias="volume.category")
    """The kind of storage of the main volume."""
    volume_ownership: OneOrMore[Literal["MANAGED", "DEDICATED"]] = Field(default=(), alias="volume.ownership")
    """MANAGED is destroyed with the notebook, DEDICATED is the user's own."""
    volume_capacity_over: IfGiven[Gigabytes] = Field(default=None, alias="volume.capacity_over")
    """The main volume is larger than this number of GB."""
    age_over: IfGiven[Duration] = None
    """More than this has passed since the creation."""
    idle_over: IfGiven[Duration] = None
    """More than this has passed since the last sign of use; a notebook that is not at rest is in use."""
    lease_expired_over: IfGiven[Duration] = None
    """More than this has passed since an enabled TIMING lease ended."""
    lease_enabled: IfGiven[StrictBool] = Field(default=None, alias="lease.enabled")
    """Whether the cloud stops the notebook automatically."""
    lease_type: OneOrMore[LeaseType] = Field(default=(), alias="lease.type")
    """What ends the lease: a set time (TIMING) or idleness (IDLE)."""
    any_of: tuple["MatchSettings", ...] = Field(default=(), alias="any", min_length=1)
    """At least one of these matches."""
    all_of: tuple["MatchSettings", ...] = Field(default=(), alias="all", min_length=1)
    """All of these match; use it to give the same key twice."""
    none_of: IfGiven["MatchSettings"] = Field(default=None, alias="not")
    """This does not match; where a fact is missing, that stays unknown and nothing is deleted."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("is empty and would match everything; give at least one condition")
        return self

    def to_core(self, groups: OwnerGroups = NO_GROUPS, *, alike: Truth = Truth.UNKNOWN) -> AllOf:
        """Build the condition; `alike` is the result for a text that only looks like a match."""
        return AllOf(tuple(self._conditions(groups, alike)))

    def _conditions(self, groups: OwnerGroups, alike: Truth) -> Iterator[Condition]:
        for attribute, key in type(self).model_fields.items():
            if attribute in self.model_fields_set:
                yield from _conditions(key.alias or attribute, getattr(self, attribute), groups, alike)


class PolicyMatchSettings(MatchSettings):
    """Conditions, all of which must hold; a list holds alternatives. Text is matched by shell globs: * ? [abc]."""

    status: OneOrMore[Deletable] = ()
    """The state, as in the API; only states from which a notebook can be deleted."""
    any_of: tuple["PolicyMatchSettings", ...] = Field(default=(), alias="any", min_length=1)
    """At least one of these matches."""
    all_of: tuple["PolicyMatchSettings", ...] = Field(default=(), alias="all", min_length=1)
    """All of these match; use it to give the same key twice."""


def _conditions(key: str, given: Any, groups: OwnerGroups, alike: Truth) -> Iterator[Condition]:
    match key:
        case "tags":
            yield from (TagIs(tag, tuple(Glob(text) for text in texts), alike) for tag, texts in given.items())
        case "volume.capacity_over":
            yield CapacityOver(given)
        case "lease.enabled":
            yield LeaseEnabled(given)
        case "any":
            yield AnyOf(tuple(part.to_core(groups, alike=alike) for part in given))
        case "all":
            yield AllOf(tuple(part.to_core(groups, alike=alike) for part in given))
        case "not":
            # What is in doubt inside a `not` stays in doubt outside of it.
            yield Not(given.to_core(groups))
        case "owner":
            yield _owner_is(given, groups, alike)
        case _ if key in STARTS:
            yield LongerThan(key, given)
        case _:
            yield TextIs(key, tuple(Glob(str(text), ignore_case=key in NAME_KEYS) for text in given), alike)


def statuses_of(group: type[Group]) -> tuple[Status, ...]:
    """Return the states that a `match` may name: in a policy those that can be deleted, elsewhere all, those first."""
    others = tuple(status for status in Status if status not in DELETABLE)
    return DELETABLE if issubclass(group, PolicyMatchSettings) else DELETABLE + others


def _owner_is(given: Iterable[str], groups: OwnerGroups, alike: Truth) -> TextIs:
    """Return the condition on the owner, with the owners of each group that it names."""
    named = tuple(groups[text.removeprefix(PREFIX)] for text in given if text.startswith(PREFIX))
    owners = [Glob(text, ignore_case=True) for text in given if not text.startswith(PREFIX)]
    return TextIs("owner", (*owners, *(owner for group in named for owner in group.owners)), alike, named)
