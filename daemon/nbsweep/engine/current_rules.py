"""The rules of one sweep, with the marks, holds and exemptions that the journal has."""

from collections.abc import Collection
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.judging.rules import Rules
from nbsweep.core.ports import Journal, Ports


class CurrentRules(Struct, frozen=True):
    """The rules, and the version of the exemptions in them."""

    rules: Rules
    exemptions_version: int | None = None
    """The write of an order fails if an exemption was granted or revoked since; None if none were read."""

    async def with_exemptions(self, target: str, ports: Ports) -> "CurrentRules":
        """Read the exemptions again.

        Raises:
            JournalError: they cannot be read, so that nothing may be deleted.
        """
        # The version first: an exemption that is granted in between is then noticed by the next write.
        version = await ports.journal.exemptions.version()
        exemptions = await _exemptions_of(target, ports.journal, ports.clock.now())
        return CurrentRules(replace(self.rules, exemptions=exemptions), version)


async def current_rules(
    rules: Rules, target: str, identity: TargetIdentity, ports: Ports, notebook_ids: Collection[str] | None = None
) -> CurrentRules:
    """Return the configured rules with the exemptions of a target, and with its marks and holds.

    If notebooks are given, the marks and holds are only theirs, and the rules are for no others.

    Raises:
        JournalError: they cannot be read, so that nothing may be deleted.
    """
    marks = await ports.journal.marks.open_marks(identity.project, notebook_ids)
    holds = await ports.journal.holds.latest(identity.project, notebook_ids) if rules.holds_out else {}
    marked = replace(rules, marks={mark.notebook_id: mark for mark in marks}, holds=holds)
    return await CurrentRules(marked).with_exemptions(target, ports)


async def _exemptions_of(target: str, journal: Journal, now: datetime) -> tuple[Exemption, ...]:
    in_force = await journal.exemptions.in_force(now)
    return tuple(exemption for exemption in in_force if exemption.target in ("", target))
