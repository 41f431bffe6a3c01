"""The faults of requests: scripted ones first, then random ones by the seed."""

from collections import Counter
from dataclasses import dataclass, field

from nbsweep.simulator.options import FaultOptions, ScriptedFault
from nbsweep.simulator.randomness import Randomness
from nbsweep.simulator.vocabulary import DELETION_FAULTS, PAGE_FAULTS, REQUEST_FAULTS, FaultName, Kind


@dataclass(frozen=True)
class Subject:
    """The request that a fault may apply to."""

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

    def __init__(self, options: FaultOptions, randomness: Randomness) -> None:
        self._rates = options.rates
        self._randomness = randomness
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
        """Return the fault of the request or of its answer."""
        return self._pick(subject, REQUEST_FAULTS)

    def of_deletion(self, subject: Subject) -> ScriptedFault | None:
        """Return the fault of an accepted deletion; call only after acceptance."""
        return self._pick(subject, DELETION_FAULTS)

    def of_listing(self, subject: Subject) -> ScriptedFault | None:
        """Return the change between this page and the next; call only if there is a next one."""
        return self._pick(subject, PAGE_FAULTS)

    def _pick(self, subject: Subject, names: tuple[FaultName, ...]) -> ScriptedFault | None:
        return self._from_script(subject, names) or self._from_dice(subject, names)

    def _from_script(self, subject: Subject, names: tuple[FaultName, ...]) -> ScriptedFault | None:
        for line in self._script:
            if not (_applies(line.item.fault, names, subject) and _concerns(line.item, subject)):
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
                if _applies(name, names, subject) and self._randomness.number(*key) < rate:
                    return ScriptedFault(fault=name)
        return None


def _applies(fault: FaultName, names: tuple[FaultName, ...], subject: Subject) -> bool:
    # 204 is an answer that only DELETE knows.
    return fault in names and (fault != "no_content" or subject.kind == "delete")


def _concerns(item: ScriptedFault, subject: Subject) -> bool:
    return (
        item.method in {None, subject.method}
        and item.kind in {None, subject.kind}
        and item.notebook_id in {None, subject.notebook_id}
        and (item.path_contains is None or item.path_contains in subject.target)
    )
