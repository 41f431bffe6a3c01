"""The account of the demo in virtual time: notebooks that live their lives, and deletions that take a while or fail."""

import math
from collections.abc import Iterable
from datetime import datetime
from random import Random

import msgspec
from msgspec.structs import replace

from nbsweep.adapters.cloud.wire import read_notebook
from nbsweep.core.errors import Rejected
from nbsweep.core.model import Notebook, Status
from nbsweep.demo.lives import Act, Life, acted, lived_until, milliseconds
from nbsweep.simulator import AccessOptions, DialectOptions, NotebookSpec
from nbsweep.simulator.state.rows import RowWriter
from nbsweep.simulator.state.specs import described_notebook
from nbsweep.testing import LOST_AFTER, FakeClock, FakeCloud, Fault
from nbsweep.testing.faults import Call, Pace

TYPICAL_DELETION_S = 24.0
SOUND = frozenset({Status.STOPPED, Status.RUNNING})
NODE_BROKEN = "The node of the instance is abnormal."
ROWS = RowWriter(DialectOptions(), AccessOptions())
STUCK = Fault(ends_in=Status.DELETING)
STUCK_FOR_S = 1.5 * 86_400
"""After this time the provider's support deletes a notebook whose deletion does not end."""
ANSWER_S = 0.08
MISFORTUNES = (
    (0.05, (Fault(ends_in=Status.DELETE_FAILED),)),
    (0.03, (Fault(ends_in=Status.DELETE_FAILED), Fault(ends_in=Status.DELETE_FAILED))),
    (0.015, (STUCK,)),
    (0.02, (LOST_AFTER,)),
    (0.02, (Fault(Rejected("the cloud refused: HTTP 400 ModelArts.6327", code="ModelArts.6327", http_status=400)),)),
)
"""What may happen to the first DELETEs of a notebook, and how probable it is."""


class Account:
    """The notebooks of the demo's account."""

    def __init__(self, clock: FakeClock, lives: Iterable[Life], workspaces: tuple[str, str], seed: int) -> None:
        """Put the notebooks that live now into the cloud, and plan the lives of all."""
        self.cloud = FakeCloud(clock, workspaces=workspaces, pace=Pace(answer_s=ANSWER_S))
        self.cloud.on_call = self._sent
        self._clock = clock
        self._seed = seed
        self._specs: dict[str, NotebookSpec] = {}
        self._stuck: set[str] = set()
        for life in lives:
            self._plan(life, clock.now())

    def notebooks(self) -> tuple[NotebookSpec, ...]:
        """Return all notebooks as they are now, for a simulated cloud."""
        self.cloud.advance()
        return tuple(_as_it_is(spec, found) for key, spec in self._specs.items() if (found := self.cloud.truth(key)))

    def break_pool(self, broken: datetime, mended: datetime, flavor: str) -> None:
        """Let all notebooks of flavors with this beginning show ERROR from one moment to another."""
        before: list[Notebook] = []
        self.cloud.at(self._seconds(broken), lambda: before.extend(self._break_all(flavor, broken)))
        self.cloud.at(self._seconds(mended), lambda: self._mend_all(before))

    def _plan(self, life: Life, now: datetime) -> None:
        spec = lived_until(life, now)
        if spec is None:
            return
        key = str(spec.id)
        self._specs[key] = spec
        self._bring_misfortune(key)
        if life.born <= now:
            self.cloud.add(notebook_of(spec))
        else:
            self.cloud.at(self._seconds(life.born), lambda: self.cloud.add(notebook_of(life.spec)))
        for act in life.acts:
            if act.at > now:
                self._plan_act(key, act)

    def _plan_act(self, key: str, act: Act) -> None:
        self.cloud.at(self._seconds(act.at), lambda: self._act(key, act))

    def _act(self, key: str, act: Act) -> None:
        found = self.cloud.truth(key)
        if found is None or found.status in (Status.DELETING, Status.DELETE_FAILED):
            return
        if act.kind == "delete":
            self.cloud.vanish(key)
        else:
            self.cloud.put(notebook_of(acted(_as_it_is(self._specs[key], found), act)))

    def _break_all(self, flavor: str, at: datetime) -> list[Notebook]:
        """Show ERROR for all notebooks of a pool, and return them as they were."""
        found = [each for key in self._specs if (each := self.cloud.truth(key))]
        sound = [each for each in found if each.status in SOUND and (each.flavor or "").startswith(flavor)]
        for each in sound:
            self.cloud.put(replace(each, status=Status.ERROR, fail_reason=NODE_BROKEN, updated_at=at))
        return sound

    def _mend_all(self, before: list[Notebook]) -> None:
        for each in before:
            found = self.cloud.truth(each.id)
            if found is not None and found.status is Status.ERROR:
                self.cloud.put(each)

    def _bring_misfortune(self, key: str) -> None:
        roll = Random(f"misfortune {self._seed} {key}").random()
        for share, faults in MISFORTUNES:
            if 0 <= roll < share:
                self.cloud.inject("delete", *faults, notebook_id=key)
                if STUCK in faults:
                    self._stuck.add(key)
            roll -= share

    def _sent(self, call: Call) -> None:
        """Let each deletion take another time, and a stuck one end in the end."""
        if call.kind == "delete":
            chance = Random(f"pace {self._seed} {call.subject} {call.at_s:.0f}")
            deletion_s = round(TYPICAL_DELETION_S * math.exp(chance.gauss(0, 0.6)), 1)
            self.cloud.pace = Pace(deletion_s=deletion_s, answer_s=ANSWER_S)
            if call.subject in self._stuck:
                self.cloud.at(call.at_s + STUCK_FOR_S, lambda: self.cloud.vanish(call.subject))

    def _seconds(self, moment: datetime) -> float:
        return self._clock.steady_s() + (moment - self._clock.now()).total_seconds()


def notebook_of(spec: NotebookSpec) -> Notebook:
    """Return the notebook that nbsweep reads from a listing of the simulated cloud."""
    instance = described_notebook(spec, str(spec.id), 0)
    instance.shown_status = instance.status
    return replace(read_notebook(msgspec.json.encode(ROWS.single(instance, 0))), listed=True)


def _as_it_is(spec: NotebookSpec, found: Notebook) -> NotebookSpec:
    moved = {} if found.updated_at is None else {"update_at": milliseconds(found.updated_at)}
    return replace(
        spec,
        status=found.status.value,
        fail_reason=found.fail_reason or "",
        tags={key: value or "" for key, value in (found.tags or {}).items()},
        **moved,
    )
