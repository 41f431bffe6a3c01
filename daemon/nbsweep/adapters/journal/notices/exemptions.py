"""The port `ExemptionRecords` on SQLAlchemy Core, and what keeps a DELETE from overtaking a grant."""

from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace
from sqlalchemy import BigInteger, ColumnElement, RowMapping, Select, bindparam, cast, func, literal_column, select, update

from nbsweep.adapters.journal.dialects import compiled, compiled_question, insert_new
from nbsweep.adapters.journal.errors import journal_errors
from nbsweep.adapters.journal.notices.tables import EXEMPTIONS
from nbsweep.adapters.journal.records.access import Access
from nbsweep.adapters.journal.records.audit import chains_of
from nbsweep.adapters.journal.rows import Row
from nbsweep.adapters.journal.tables import META
from nbsweep.adapters.journal.transaction import Overtaken, Transaction, Turn
from nbsweep.core.audit.exemptions import entry_of_grant, entry_of_revocation
from nbsweep.core.errors import ExemptionExists, ExemptionsChanged
from nbsweep.core.exemptions.model import Exemption, Selector
from nbsweep.core.model import microseconds, require_aware

_OF_SELECTOR = Selector.__struct_fields__
_OWN = tuple(name for name in Exemption.__struct_fields__ if name != "selector")
PRUNED_EXEMPTIONS = "pruned exemptions"
"""The key in `META` of what deleted rows had added to the version."""


def pruned_exemptions() -> ColumnElement[int]:
    """Return what deleted rows had added to the version."""
    noted = select(META.c.value).where(META.c.key == literal_column(f"'{PRUNED_EXEMPTIONS}'")).scalar_subquery()
    return func.coalesce(cast(noted, BigInteger), literal_column("0"))


# A revocation is final, and who deletes rows notes their number: so the sum only grows.
_VERSION = select((func.count() + func.count(EXEMPTIONS.c.revoked_at) + pruned_exemptions()).label("version")).select_from(
    EXEMPTIONS
)


class UnchangedExemptions(Struct, frozen=True):
    """A guard: no exemption was granted or revoked since a version was read."""

    version: int
    sql: str
    """The query for the present version."""

    def __call__(self, transaction: Transaction) -> None:
        """Check the version.

        Raises:
            ExemptionsChanged: it is another by now.
        """
        [[present]] = transaction.fetch(self.sql, {})
        if present != self.version:
            raise ExemptionsChanged("An exemption was granted or revoked since the exemptions were read.")


class SqlExemptions:
    """The exemptions, in a table of the journal."""

    def __init__(self, access: Access) -> None:
        """Compile the statements."""
        dialect = access.dialect
        valid = (EXEMPTIONS.c.id == bindparam("of_id")) & EXEMPTIONS.c.revoked_at.is_(None)
        self._access = access
        self.insert = compiled(dialect, insert_new(dialect.name, EXEMPTIONS), EXEMPTIONS.columns.keys())
        self.mark_revoked = compiled(dialect, update(EXEMPTIONS).where(valid), ["revoked_at", "revoked_by", "revoked_reason"])
        self.ask_version = compiled_question(dialect, _VERSION)

    def unchanged(self, version: int) -> UnchangedExemptions:
        """Return the guard for a version."""
        return UnchangedExemptions(version, self.ask_version)

    async def version(self) -> int:
        """Return a number that grows with each grant and each revocation."""
        [row] = await self._access.rows(_VERSION)
        return int(row["version"])

    async def grant(self, exemption: Exemption) -> None:
        """Record a new exemption, with its entry in the audit trail, in one transaction.

        Raises:
            ExemptionExists: there is one with this id. Nothing was stored.
        """
        row, trail = _row(exemption), self._access.trail

        def store(transaction: Transaction) -> None:
            trail.append_one(transaction, exemption.target, partial(entry_of_grant, exemption))
            if transaction.execute(self.insert, iter([row])) != 1:
                raise ExemptionExists(f"The journal {self._access.address.place} has an exemption {exemption.id} already.")

        await self._access.perform(store, chains=chains_of([exemption]), turn=Turn.GRANTS)

    async def revoke(self, exemption_id: str, at: datetime, by: str, reason: str = "") -> Exemption | None:
        """Revoke an exemption, with its entry in the audit trail; return it as it is then, or None if there is none."""
        found = await self.find(exemption_id)
        if found is None or found.revoked_at is not None:
            return found
        revoked, trail = replace(found, revoked_at=require_aware(at), revoked_by=by, revoked_reason=reason), self._access.trail
        row = {"of_id": exemption_id, "revoked_at": microseconds(at), "revoked_by": by, "revoked_reason": reason}

        def store(transaction: Transaction) -> None:
            if transaction.execute(self.mark_revoked, iter([row])) != 1:
                raise Overtaken("Another process has revoked it.")
            trail.append_one(transaction, revoked.target, partial(entry_of_revocation, revoked))

        try:
            await self._access.perform(store, chains=chains_of([revoked]), turn=Turn.GRANTS)
        except Overtaken:
            return await self.find(exemption_id)
        return revoked

    async def find(self, exemption_id: str) -> Exemption | None:
        """Return an exemption by its id, also one that has ended or was revoked; None if there is none."""
        return next(iter(await self._exemptions(select(EXEMPTIONS).where(EXEMPTIONS.c.id == exemption_id))), None)

    async def in_force(self, now: datetime) -> tuple[Exemption, ...]:
        """List the exemptions that are in force at a moment, the oldest first."""
        valid = select(EXEMPTIONS).where(EXEMPTIONS.c.until > now, EXEMPTIONS.c.revoked_at.is_(None))
        return await self._exemptions(valid.order_by(EXEMPTIONS.c.granted_at, EXEMPTIONS.c.id))

    async def between(self, since: datetime, until: datetime) -> tuple[Exemption, ...]:
        """List the exemptions granted until `until` that end after `since`, those that were revoked included, oldest first."""
        near = select(EXEMPTIONS).where(EXEMPTIONS.c.until > since, EXEMPTIONS.c.granted_at <= until)
        return await self._exemptions(near.order_by(EXEMPTIONS.c.granted_at, EXEMPTIONS.c.id))

    async def all(self, limit: int) -> tuple[Exemption, ...]:
        """List the latest exemptions, the newest first."""
        newest_first = select(EXEMPTIONS).order_by(EXEMPTIONS.c.granted_at.desc(), EXEMPTIONS.c.id.desc())
        return await self._exemptions(newest_first.limit(limit))

    async def _exemptions(self, query: Select[Any]) -> tuple[Exemption, ...]:
        rows = await self._access.rows(query)
        with journal_errors(self._access.address):
            return tuple(map(_exemption_of, rows))


def _row(exemption: Exemption) -> Row:
    """Convert an exemption to the values of its columns.

    Raises:
        ValueError: one of its moments has no time zone.
    """
    values = {**asdict(exemption), **asdict(exemption.selector), "granted_as": exemption.granted_as.value}
    del values["selector"]
    return {name: microseconds(value) if isinstance(value, datetime) else value for name, value in values.items()}


def _exemption_of(row: RowMapping) -> Exemption:
    """Convert a row to an exemption.

    Raises:
        ValueError: it holds something that an exemption cannot have.
    """
    own = {name: row[name] for name in _OWN}
    return msgspec.convert({**own, "selector": {name: row[name] for name in _OF_SELECTOR}}, Exemption)
