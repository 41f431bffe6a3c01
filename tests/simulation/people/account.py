"""The cloud of a seed, and its owners, who use, renew, tag, recreate and exempt notebooks at any moment."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from builders import lease
from nbsweep.core.exemptions.model import Exemption, GrantedBy, Selector
from nbsweep.core.model import Notebook, Status
from nbsweep.testing import Call, FakeCloud, Fault
from simulation.people.life import SweepNotes
from simulation.people.scenario import DAY_S, HOUR_S

if TYPE_CHECKING:
    from simulation.people.world import World

KEPT = {"keep": "yes"}
PLAIN = {"team": "vision"}


class Account(FakeCloud):
    """The cloud in true time; the judge learns of each DELETE that it accepts."""

    by: SweepNotes | None = None
    """The sweep whose DELETE is arriving."""
    on_deletion: Callable[[Notebook, SweepNotes | None], None]

    def all(self) -> list[Notebook]:
        """List all notebooks as they are now, by id."""
        return [self._notebooks[key] for key in sorted(self._notebooks)]

    def heal(self) -> None:
        """Forget the faults that no call has met yet."""
        self._faults.clear()

    def begin_deletion(self, notebook_id: str, fault: Fault) -> str:
        """Delete a notebook, or raise the refusal."""
        before = self._existing(notebook_id)
        request = super().begin_deletion(notebook_id, fault)
        self.on_deletion(before, self.by)
        return request


@dataclass(slots=True)
class People:
    """The owners of the notebooks."""

    world: "World"
    random: Random
    serials: dict[str, int] = field(default_factory=dict)
    """How often each notebook was created again."""
    exemptions: int = 0

    def begin(self) -> None:
        """Schedule what they do until all is calm."""
        self._repeat(self.world.scenario.actions_per_day, self._act_somewhere)
        self._repeat(self.world.scenario.exempts_per_day, self._ask_somewhere)

    def notice(self, call: Call) -> None:
        """React to a second look at a notebook, within seconds."""
        scenario = self.world.scenario
        if call.kind == "show" and not self.world.calm and self.random.random() < scenario.reacts:
            react = self._ask_for if self.random.random() < 0.4 else self._act
            self.world.loop.call_later(self.random.uniform(0, 14), react, call.subject)

    def _repeat(self, per_day: float, act: Callable[[], None]) -> None:
        if not per_day:
            return

        def again() -> None:
            if not self.world.calm:
                act()
                self._repeat(per_day, act)

        self.world.loop.call_later(self.random.expovariate(per_day / DAY_S), again)

    def _act_somewhere(self) -> None:
        if there := self.world.cloud.all():
            self._act(self.random.choice(there).id)

    def _act(self, notebook_id: str) -> None:
        one = self.world.cloud.truth(notebook_id)
        if one is None or self.world.calm or one.status not in (Status.STOPPED, Status.RUNNING):
            return
        acts = (self._use, self._use, self._renew, self._renew, self._tag, self._untag, self._recreate, self._ask)
        self.random.choice(acts)(one)

    # ---- what they do -------------------------------------------------------------------------------------------------------

    def _use(self, one: Notebook) -> None:
        """Start it, and stop it hours later."""
        if one.status is Status.RUNNING:
            return
        self._change(one, "is started", used=True, status=Status.RUNNING)
        self.world.loop.call_later(self.random.uniform(0.05, 10) * HOUR_S, self._stop, one.id, one.name)

    def _stop(self, notebook_id: str, name: str | None) -> None:
        one = self.world.cloud.truth(notebook_id)
        if one is not None and one.name == name and one.status is Status.RUNNING:
            self._change(one, "is stopped", used=True, status=Status.STOPPED)

    def _renew(self, one: Notebook) -> None:
        renewed = replace(one.lease or lease(), updated_at=self.world.now())
        self._change(one, "has its lease renewed", used=True, lease=renewed, updated_at=one.updated_at)

    def _tag(self, one: Notebook) -> None:
        self._change(one, "is tagged", tags=KEPT, updated_at=one.updated_at)

    def _untag(self, one: Notebook) -> None:
        self._change(one, "is untagged", tags=PLAIN, updated_at=one.updated_at)

    def _recreate(self, one: Notebook) -> None:
        """Delete it, and create another one with its id; some clouds show the dates of the restored one."""
        number = self.serials[one.id] = self.serials.get(one.id, 1) + 1
        now, base = self.world.now(), (one.name or "").rpartition("-")[0]
        again = replace(one, name=f"{base}-{number}", created_at=now, status=Status.STOPPED, tags=PLAIN)
        if self.random.random() < 0.5:
            again = replace(again, updated_at=now)
        self.world.cloud.put(again)
        self.world.introduce(again)

    def _change(self, one: Notebook, what: str, *, used: bool = False, **fields: Any) -> None:
        self.world.cloud.change(one.id, **fields)
        name, now = one.name or "", self.world.now()
        self.world.truth.note(now, f"{one.id} ({name}) {what}")
        if used:
            self.world.truth.used.setdefault(name, []).append(now)
        if "tags" in fields and fields["tags"] is KEPT:
            self.world.truth.tagged.setdefault(name, now)
        elif "tags" in fields:
            self.world.truth.tagged.pop(name, None)

    # ---- exemptions ---------------------------------------------------------------------------------------------------------

    def _ask_somewhere(self) -> None:
        if there := self.world.cloud.all():
            self._ask(self.random.choice(there))

    def _ask_for(self, notebook_id: str) -> None:
        one = self.world.cloud.truth(notebook_id)
        if one is not None:
            self._ask(one)

    def _ask(self, one: Notebook) -> None:
        """Be granted an exemption; some are revoked, some end before the grace."""
        if self.world.is_down("exemptions"):
            return
        self.exemptions += 1
        now = self.world.now()
        selectors = (
            Selector(notebook_id=one.id, notebook_created_at=one.created_at),
            Selector(owner=one.owner.name or "nobody"),
            Selector(name=f"{(one.name or '').partition('-')[0]}-*"),
        )
        until = now + timedelta(hours=self.random.choice((1, 12, 48, 240)))
        exemption = Exemption(
            f"e{self.exemptions}", self.random.choices(selectors, (6, 1, 1))[0], "asked", "owner", GrantedBy.OWNER, now, until
        )
        self.world.grant(exemption)
        if self.random.random() < 0.3:
            self.world.loop.call_later(self.random.uniform(0, 40) * HOUR_S, self.world.revoke, exemption.id)
