"""What goes wrong with which request: to order first, then by the seed's dice."""

from collections import Counter
from dataclasses import dataclass, field

from nbsweep.simulator.options import FaultOptions, ScriptedFault
from nbsweep.simulator.randomness import Randomness
from nbsweep.simulator.vocabulary import FATES, REQUEST_FAULTS, TEARS, FaultName, Kind


@dataclass(frozen=True)
class Subject:
    """The request that a fault may befall."""

    method: str
    #: Path and query, so that the n-th call of one page stays the same whatever else is under way.
    target: str
    kind: Kind
    notebook_id: str | None
    #: The how manieth call of this method and target this is, from 1.
    nth: int


@dataclass
class _ScriptLine:
    """One item of the script, with what is left of it."""

    item: ScriptedFault
    passes: int
    hits: int = field(default=1)


class Faults:
    """Decides on faults; the same seed and the same calls get the same faults in any order of arrival."""

    def __init__(self, options: FaultOptions, dice: Randomness) -> None:
        self._rates = options.rates
        self._dice = dice
        self._calls: Counter[tuple[str, str]] = Counter()
        self._script: list[_ScriptLine] = []
        self.extend(options.script)

    def extend(self, items: tuple[ScriptedFault, ...]) -> None:
        """Append to the script."""
        self._script += [_ScriptLine(item, passes=item.nth - 1, hits=item.times) for item in items]

    def subject(self, method: str, target: str, kind: Kind, notebook_id: str | None) -> Subject:
        """Return a request with its place among the calls of its kind; call once for each request."""
        self._calls[method, target] += 1
        return Subject(method, target, kind, notebook_id, nth=self._calls[method, target])

    def of_request(self, subject: Subject) -> ScriptedFault | None:
        """Return what befalls the request or its answer."""
        return self._pick(subject, REQUEST_FAULTS)

    def of_deletion(self, subject: Subject) -> ScriptedFault | None:
        """Return how a deletion that was accepted will go wrong; call only when it was."""
        return self._pick(subject, FATES)

    def of_listing(self, subject: Subject) -> ScriptedFault | None:
        """Return what somebody does between this page and the next; call only when there is a next one."""
        return self._pick(subject, TEARS)

    def _pick(self, subject: Subject, names: tuple[FaultName, ...]) -> ScriptedFault | None:
        return self._from_script(subject, names) or self._from_dice(subject, names)

    def _from_script(self, subject: Subject, names: tuple[FaultName, ...]) -> ScriptedFault | None:
        for line in self._script:
            if not (_can_befall(line.item.fault, names, subject) and _concerns(line.item, subject)):
                continue
            if line.passes:
                line.passes -= 1
                continue
            line.hits -= 1
            if not line.hits:
                self._script.remove(line)
            return line.item
        return None

    def _from_dice(self, subject: Subject, names: tuple[FaultName, ...]) -> ScriptedFault | None:
        for scope, rates in ((subject.kind, self._rates.get(subject.kind)), ("all", self._rates.get("all"))):
            for name, rate in (rates or {}).items():
                key = (name, scope, subject.method, subject.target, subject.nth)
                if _can_befall(name, names, subject) and self._dice.throw(*key) < rate:
                    return ScriptedFault(fault=name)
        return None


def _can_befall(fault: FaultName, names: tuple[FaultName, ...], subject: Subject) -> bool:
    # 204 is an answer that only DELETE knows.
    return fault in names and (fault != "no_content" or subject.kind == "delete")


def _concerns(item: ScriptedFault, subject: Subject) -> bool:
    return (
        item.method in {None, subject.method}
        and item.kind in {None, subject.kind}
        and item.notebook_id in {None, subject.notebook_id}
        and (item.path_contains is None or item.path_contains in subject.target)
    )
