"""The cloud of a year, its record of what it showed and accepted, and the owners as they act."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from builders import lease
from nbsweep.core.errors import WorkspaceRefused
from nbsweep.core.exemptions.model import Exemption, GrantedBy, Selector
from nbsweep.core.model import MalformedRow, Named, Notebook, Page, Scope, Status
from nbsweep.testing import FakeCloud, Fault
from simulation.past.habits import Act, Deed
from simulation.past.truth import Instance, Truth, instance_of

if TYPE_CHECKING:
    from simulation.past.world import World

PLAIN = {"team": "vision"}
KEPT = {"keep": "yes"}
TOUCHABLE = frozenset({Status.STOPPED, Status.RUNNING, Status.START_FAILED, Status.DELETE_FAILED})
STATES: dict[Deed, Status] = {Deed.START: Status.RUNNING, Deed.STOP: Status.STOPPED, Deed.FAIL_TO_START: Status.START_FAILED}


class Account(FakeCloud):
    """The cloud in true time."""

    book: Truth
    number = 0
    """Of the sweep that is under way."""
    refused = ""
    """The workspace that cannot be listed."""
    unreadable = ""
    """The id of the notebook whose row cannot be read."""

    def __init__(self, *how: Any, **named: Any) -> None:
        """Begin with nothing shown."""
        super().__init__(*how, **named)
        self.rows_shown: dict[Scope, dict[str, Notebook | MalformedRow]] = {}
        """The rows of the latest reading of each listing, and the answers by id after it."""

    def all(self) -> list[Notebook]:
        """List all notebooks as they are now, by id."""
        return [self._notebooks[key] for key in sorted(self._notebooks)]

    def heal(self) -> None:
        """Forget the faults that no call has met yet."""
        self._faults.clear()
        self.refused = self.unreadable = ""

    async def page(self, scope: Scope, offset: int, status: str | None = None) -> Page:
        """Read a page, and take note of what it shows."""
        if scope.workspace_id == self.refused:
            raise WorkspaceRefused("the workspace is refused", code="ModelArts.0102", http_status=403)
        page = await super().page(scope, offset, status)
        if self.unreadable:
            page = replace(page, rows=tuple(_broken(row, self.unreadable) for row in page.rows))
        if status is None:
            if offset == 0:
                self.rows_shown[scope] = {}
            mine = (row for row in page.rows if isinstance(row, MalformedRow) or row.workspace_id == scope.workspace_id)
            self.rows_shown[scope] |= {row.id: row for row in mine if row.id is not None}
        return page

    async def show(self, notebook_id: str) -> Notebook:
        """Read one notebook, and take note of what is shown."""
        one = await super().show(notebook_id)
        for listed in self.rows_shown.values():
            if notebook_id in listed:
                listed[notebook_id] = one
        return one

    def begin_deletion(self, notebook_id: str, fault: Fault) -> str:
        """Delete a notebook, or raise the refusal."""
        before = self._existing(notebook_id)
        request = super().begin_deletion(notebook_id, fault)
        self.book.deleted.append((self.number, instance_of(before)))
        return request


def _broken(row: Notebook | MalformedRow, notebook_id: str) -> Notebook | MalformedRow:
    """Return a row, or one that cannot be read in its place."""
    return MalformedRow(row.id, row.name, "status is missing") if row.id == notebook_id else row


@dataclass(slots=True)
class Owners:
    """The owners of the notebooks. Whether sweeps have deleted some makes no difference to the others."""

    world: "World"
    ids: dict[int, str] = field(default_factory=dict)
    """The id of the notebook in each slot, if it is another one than at first."""
    granted: dict[int, list[str]] = field(default_factory=dict)
    """The ids of the exemptions for each slot."""

    def act(self, act: Act) -> None:
        """Do one act, if it makes sense now."""
        one = self.world.cloud.truth(self.ids.get(act.slot, f"nb{act.slot}"))
        match act.deed:
            case Deed.CREATE:
                self._create(act)
            case Deed.EXEMPT_ALL:
                self._exempt(act, None)
            case Deed.REVOKE:
                self._revoke(act)
            case _ if one is not None and one.status in TOUCHABLE:
                self._act_on(one, act)

    def _act_on(self, one: Notebook, act: Act) -> None:
        now = self.world.now()
        match act.deed:
            case Deed.START | Deed.STOP | Deed.FAIL_TO_START:
                if (act.deed is Deed.STOP) == (one.status is Status.RUNNING):
                    self._change(one, act, self.world.truth.used, status=STATES[act.deed], updated_at=now)
            case Deed.RENEW if one.lease is not None and one.created_at is not None:
                lasts = now - one.created_at + timedelta(hours=1 + act.number % 20)
                self._change(one, act, self.world.truth.renewed, lease=replace(one.lease, updated_at=now, duration=lasts))
            case Deed.KEEP_BY_TAG | Deed.UNTAG:
                self._change(one, act, None, tags=KEPT if act.deed is Deed.KEEP_BY_TAG else PLAIN)
            case Deed.KEEP_BY_NAME | Deed.RENAME:
                prefix = "keep" if act.deed is Deed.KEEP_BY_NAME else "exp"
                self._change(one, act, None, name=f"{prefix}-{act.number}")
            case Deed.PASS_ON:
                self._change(one, act, None, owner=self._anybody(act))
            case Deed.REMOVE:
                self.world.cloud.vanish(one.id)
                self._note(act, one.id)
            case Deed.EXEMPT:
                self._exempt(act, instance_of(one))

    def _anybody(self, act: Act) -> Named:
        owners = self.world.scenario.owners
        name = owners[act.number % len(owners)].name
        return Named(f"id-{name}", name)

    def _create(self, act: Act) -> None:
        """Make another notebook with the name, and with the same id in the place of the old one, or with a new id."""
        first, now = self.world.scenario.notebooks[act.slot], self.world.now()
        if act.number % 3 == 0:
            self.ids[act.slot] = f"nb{act.slot}-{act.number}"
        renewed = lease(created_at=now, updated_at=now, duration=timedelta(hours=3))
        again = replace(first, id=self.ids.get(act.slot, first.id), owner=self._anybody(act), created_at=now, updated_at=now)
        self.world.cloud.put(replace(again, lease=renewed))
        self._note(act, again.id)

    def _change(self, one: Notebook, act: Act, book: dict[Instance, list[datetime]] | None, **fields: Any) -> None:
        """Change a notebook; its date of change stays unless that is one of the fields."""
        self.world.cloud.change(one.id, **{"updated_at": one.updated_at, **fields})
        self._note(act, one.id)
        if book is not None:
            book.setdefault(instance_of(one), []).append(self.world.now())

    def _note(self, act: Act, what: str) -> None:
        self.world.counts[f"owners: {act.deed}"] += 1
        self.world.truth.note(self.world.now(), f"{what} {act.deed}")

    # ---- exemptions ---------------------------------------------------------------------------------------------------------

    def _exempt(self, act: Act, instance: Instance | None) -> None:
        """Be granted an exemption for an instance, or for all notebooks of an owner."""
        now, owner = self.world.clock.now(), self._anybody(act).name or ""
        selector = Selector(*instance) if instance else Selector(owner=owner)
        key, until = f"e{len(self.world.truth.grants)}", now + timedelta(days=(2, 10, 40)[act.number % 3])
        self.world.truth.grants.append((now, instance, owner))
        self.granted.setdefault(act.slot, []).append(key)
        granted = Exemption(key, selector, "asked", owner, GrantedBy.OWNER, now, until)
        self.world.loop.create_task(self.world.journal.exemptions.grant(granted))
        self._note(act, instance[0] if instance else owner)

    def _revoke(self, act: Act) -> None:
        for key in self.granted.get(act.slot, ()):
            revoking = self.world.journal.exemptions.revoke(key, self.world.clock.now(), "simulation")
            self.world.loop.create_task(revoking)
            self._note(act, key)
