"""Single notebooks: regrets, and what was really deleted and created again."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from nbsweep.core.backtest.model import ReturnSign
from nbsweep.documents.past.backtest import RecreatedDocument, WouldBeDocument
from nbsweep.reports.figures import away
from nbsweep.service.web.messages import Message, message
from nbsweep.service.web.pages.views.search import notebook_path

SIGNS: Mapping[ReturnSign, Message] = {
    ReturnSign.STARTED: message("started"),
    ReturnSign.RENEWED: message("lease renewed"),
    ReturnSign.PROTECTED: message("protected by a tag or a name"),
    ReturnSign.RENAMED: message("renamed"),
    ReturnSign.PASSED_ON: message("given to another owner"),
    ReturnSign.CHANGED: message("used or edited between two surveys"),
    ReturnSign.EXEMPTED: message("exempted"),
}


class RegretRow(Struct, frozen=True):
    """A notebook that somebody came back for."""

    path: str
    name: str
    id: str
    owner: str
    target: str
    policy: str
    reason: str
    """In English."""
    capacity_gb: int
    at: datetime
    back: datetime | None
    after: timedelta | None
    how: Message | None


class RecreatedRow(Struct, frozen=True):
    """A notebook that was really deleted, and the one that its owner created after that."""

    name: str
    id: str
    path: str
    owner: str
    policy: str
    deleted_at: datetime
    new: str
    new_id: str
    new_path: str
    created_at: datetime
    same: Message


def regret_row(regret: WouldBeDocument) -> RegretRow:
    """Return the row of a notebook that somebody came back for."""
    return RegretRow(
        path=notebook_path(regret.id),
        name=regret.name or "",
        id=regret.id,
        owner=regret.owner,
        target=regret.target,
        policy=regret.policy,
        reason=regret.reason.removeprefix(f"policy {regret.policy}: "),
        capacity_gb=regret.capacity_gb,
        at=datetime.fromisoformat(regret.at),
        back=moment_of(regret.label_at),
        after=away(regret),
        how=SIGNS[regret.sign] if regret.sign else None,
    )


def recreated_row(found: RecreatedDocument) -> RecreatedRow:
    """Return the row of a notebook that was created again."""
    return RecreatedRow(
        name=found.name,
        id=found.id,
        path=notebook_path(found.id),
        owner=found.owner,
        policy=found.policy,
        deleted_at=datetime.fromisoformat(found.deleted_at),
        new=found.new_name or "",
        new_id=found.new_id,
        new_path=notebook_path(found.new_id),
        created_at=datetime.fromisoformat(found.created_at),
        same=message("the same name") if found.by == "name" else message("the same image"),
    )


def moment_of(time: str | None) -> datetime | None:
    """Return a time of a document."""
    return datetime.fromisoformat(time) if time else None
