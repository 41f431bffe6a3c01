"""The port `PlanRecords` on SQLAlchemy Core."""

from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import asdict, replace
from sqlalchemy import RowMapping, Select, bindparam, delete, select, update

from nbsweep.adapters.journal.dialects import compiled, insert_new
from nbsweep.adapters.journal.errors import journal_errors
from nbsweep.adapters.journal.records.access import Access
from nbsweep.adapters.journal.records.audit import chains_of
from nbsweep.adapters.journal.tables import PLANS
from nbsweep.adapters.journal.transaction import Change, Overtaken, Steps, Transaction, Turn
from nbsweep.core.audit.acts import Act, entry_of_act
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.model import microseconds
from nbsweep.core.saved_plan.approval import ApprovedPlan

_FIELDS = ApprovedPlan.__struct_fields__
_PLAN = select(*(PLANS.c[name] for name in _FIELDS))


class SqlPlans:
    """The approved plans, in a table of the journal."""

    def __init__(self, access: Access) -> None:
        """Compile the statements."""
        dialect = access.dialect
        is_open = (PLANS.c.plan_id == bindparam("of_id")) & PLANS.c.carried_out_at.is_(None)
        begun = update(PLANS).where(is_open & (PLANS.c.expires_at > bindparam("of_now")))
        self._access = access
        self._insert = compiled(dialect, insert_new(dialect.name, PLANS), PLANS.columns.keys())
        self._begin = compiled(dialect, begun, ["carried_out_at", "carried_out_by", "run_id"])
        self._forget = compiled(dialect, delete(PLANS).where(PLANS.c.expires_at < bindparam("of_before")), [])

    async def approve(self, plan: ApprovedPlan, document: bytes) -> bool:
        """Record an approval and its document; False if there is an approved plan with this ID."""
        row = {**_row(plan), "document": document}

        def store(transaction: Transaction) -> None:
            if transaction.execute(self._insert, iter([row])) != 1:
                raise Overtaken("There is an approved plan with this ID.")
            self._note(transaction, AuditStep.APPROVED, plan)

        return await self._succeeds(store, plan)

    async def plans(self, limit: int, target: str | None = None) -> tuple[ApprovedPlan, ...]:
        """List the latest approved plans, the newest first."""
        newest_first = _PLAN.order_by(PLANS.c.approved_at.desc(), PLANS.c.plan_id.desc()).limit(limit)
        return await self._plans(newest_first if target is None else newest_first.where(PLANS.c.target == target))

    async def find(self, plan_id: str) -> ApprovedPlan | None:
        """Return an approved plan; None if there is none."""
        return next(iter(await self._plans(_PLAN.where(PLANS.c.plan_id == plan_id))), None)

    async def document(self, plan_id: str) -> bytes | None:
        """Return the document of an approved plan; None if there is none."""
        rows = await self._access.rows(select(PLANS.c.document).where(PLANS.c.plan_id == plan_id))
        return next((bytes(row["document"]) for row in rows), None)

    async def begin(self, plan_id: str, at: datetime, by: str, run_id: str) -> bool:
        """Record that a plan is about to be carried out; False if it may not be."""
        found = await self.find(plan_id)
        if found is None or not found.is_open(at):
            return False
        begun = replace(found, carried_out_at=at, carried_out_by=by, run_id=run_id)
        now = microseconds(at)
        row = {"of_id": plan_id, "of_now": now, "carried_out_at": now, "carried_out_by": by, "run_id": run_id}

        def store(transaction: Transaction) -> None:
            if transaction.execute(self._begin, iter([row])) != 1:
                raise Overtaken("Another process carries it out.")
            self._note(transaction, AuditStep.CARRIED_OUT, begun)

        return await self._succeeds(store, begun)

    async def forget(self, before: datetime) -> None:
        """Remove the plans that expired before a moment."""
        await self._access.write(Change(self._forget, [{"of_before": microseconds(before)}], dict))

    async def _succeeds(self, store: Steps, plan: ApprovedPlan) -> bool:
        try:
            await self._access.perform(store, chains=chains_of([plan]), turn=Turn.NONE)
        except Overtaken:
            return False
        return True

    def _note(self, transaction: Transaction, step: AuditStep, plan: ApprovedPlan) -> None:
        at, by = plan.approved_at, plan.approved_by
        if step is AuditStep.CARRIED_OUT:
            at, by = plan.carried_out_at or at, plan.carried_out_by
        act = Act(step, plan.target, at, by, str(plan), plan.run_id)
        self._access.trail.append_one(transaction, plan.target, partial(entry_of_act, act))

    async def _plans(self, query: Select[Any]) -> tuple[ApprovedPlan, ...]:
        rows = await self._access.rows(query)
        with journal_errors(self._access.address):
            return tuple(map(_plan_of, rows))


def _row(plan: ApprovedPlan) -> dict[str, Any]:
    """Convert a plan to the values of its columns.

    Raises:
        ValueError: one of its moments has no time zone.
    """
    return {name: microseconds(value) if isinstance(value, datetime) else value for name, value in asdict(plan).items()}


def _plan_of(row: RowMapping) -> ApprovedPlan:
    """Convert a row to a plan.

    Raises:
        msgspec.ValidationError: it holds something that a plan cannot have.
    """
    return msgspec.convert({name: row[name] for name in _FIELDS}, ApprovedPlan)
