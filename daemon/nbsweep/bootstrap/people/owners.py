"""Builds the owners' directory that the settings describe."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from nbsweep.adapters.owners.directory import ChainDirectory, Fallback, NamedPart
from nbsweep.adapters.owners.file import FileReader
from nbsweep.adapters.owners.iam import IamPart
from nbsweep.adapters.owners.parts import DomainPart, FilePart, Part, TagPart
from nbsweep.core.checks import Check
from nbsweep.core.doubts import Doubt, DoubtKind
from nbsweep.core.notices.contacts import OwnerDirectory, UserLookup
from nbsweep.core.owner_checks import judge_fallback, judge_file
from nbsweep.core.ports import Clock
from nbsweep.settings import Settings
from nbsweep.settings.people.owners import FALLBACK, OwnerPartSettings

NOT_TOLD = "an owner whom the file does not name correctly is not told"


def make_directory(settings: Settings, lookups: Mapping[str, UserLookup], clock: Clock) -> OwnerDirectory:
    """Build the directory; nothing is read or called before the first question. `lookups` asks IAM, by the target's name."""
    known = frozenset(settings.channels)
    named = [NamedPart(part.key, _make_part(part, lookups, clock, known)) for part in settings.owners if part.key != FALLBACK]
    values = [part.fallback for part in settings.owners if part.fallback is not None]
    files = tuple(each.part for each in named if isinstance(each.part, FilePart))
    last = Fallback(values[0], known, files) if values else None
    return ChainDirectory(named, last)


async def check_owner_parts(settings: Settings, clock: Clock) -> list[Check]:
    """Check the owners' files, and whether the fallback can be found; nothing is called."""
    checks = []
    for part in settings.owners:
        if part.file is not None:
            file = await FileReader(Path(part.file), frozenset(settings.channels)).current()
            checks.append(judge_file(part.file, len(file.entries), [str(mistake) for mistake in file.mistakes]))
        if part.fallback is not None:
            checks.append(judge_fallback(await make_directory(settings, {}, clock).fallback()))
    return checks


def doubts_of_owners(settings: Settings) -> Iterator[Doubt]:
    """Yield each mistake in the owners' files. nbsweep works with such a file, but does not tell the owners of these lines."""
    for place, part in enumerate(settings.owners):
        if part.file is not None:
            file = FileReader(Path(part.file), frozenset(settings.channels)).read_now()
            for mistake in file.mistakes:
                yield Doubt(DoubtKind.OWNERS_FILE, f"owners[{place}]", part.file, f"{mistake}: {NOT_TOLD}")


def _make_part(part: OwnerPartSettings, lookups: Mapping[str, UserLookup], clock: Clock, channels: frozenset[str]) -> Part:
    if part.file is not None:
        return FilePart(FileReader(Path(part.file), channels))
    if part.tag is not None:
        return TagPart(part.tag)
    if part.domain is not None:
        return DomainPart(part.domain)
    return IamPart(lookups, clock)
