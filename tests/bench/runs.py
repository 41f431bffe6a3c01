"""One program against one fresh cloud: start both, wait, and ask the cloud for the truth when all is over."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from acceptance.support import Cloud, Json, ended_afterwards, running_cloud
from bench.figures import Call, Figures, Told, Usage, figures, problem
from bench.programs import NBSWEEP, Program, environment
from bench.scenarios import Scenario, simulator_options

LAUNCHER = Path(__file__).with_name("launcher.py")
GRACE_S = 30.0
"""Seconds by which the launcher may outlive the patience that it was given."""
LOOK_S = 0.02
"""Seconds between two looks at a program's log."""
WORDS_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Comeback:
    """What became of the notebooks that were used again."""

    used: int
    too_late: int
    """How many had been deleted before their owners came: these count for nothing, and mean that the bench was too slow."""
    deleted: int
    spared: int
    """How many the program reports as left alone, with a reason."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one run came to."""

    scenario: Scenario
    program: str
    figures: Figures
    problem: str
    """Why the figures are worth less than they look; nothing when they are sound."""
    comeback: Comeback | None = None


@dataclass(slots=True)
class Begun:
    """A program at work under the launcher."""

    process: "subprocess.Popen[bytes]"
    folder: Path

    @property
    def out(self) -> bytes:
        """What it has written to stdout so far."""
        return (self.folder / "out").read_bytes()

    @property
    def err(self) -> bytes:
        """What it has written to stderr so far."""
        return (self.folder / "err").read_bytes()

    def wait_for(self, words: bytes, patience_s: float) -> bool:
        """Wait until it has written these words to stderr; tell whether it has."""
        end = time.monotonic() + patience_s
        while time.monotonic() < end and self.process.poll() is None:
            if words in self.err:
                return True
            time.sleep(LOOK_S)
        return False

    def ended(self, patience_s: float) -> Usage:
        """Wait for the end."""
        self.process.wait(patience_s + GRACE_S)
        return Usage(**json.loads((self.folder / "usage.json").read_text(encoding="utf-8")))


def measure(scenario: Scenario, program: Program, patience_s: float) -> Result:
    """Run a program once; it is ended after `patience_s` seconds."""
    with (
        tempfile.TemporaryDirectory(prefix="nbsweep-bench-") as name,
        running_cloud(simulator_options(scenario)) as cloud,
        _begun(program.command(scenario, cloud.url, Path(name)), Path(name), patience_s) as begun,
    ):
        used: dict[str, bool] = {}
        if scenario.used_again and begun.wait_for(program.has_listed, patience_s):
            used = come_back(cloud, scenario)
        usage = begun.ended(patience_s)
        told = _told(program, begun.out)
        return _result(scenario, program, cloud, _Evidence(usage, told, used, _last_words(begun.err)))


def measured(scenario: Scenario, program: Program, patience_s: float) -> Result:
    """Run a program as often as its scenario says, and choose one run to show."""
    runs = scenario.runs if program is NBSWEEP else 1
    return least_disturbed([measure(scenario, program, patience_s) for _ in range(runs)])


def least_disturbed(results: Sequence[Result]) -> Result:
    """Choose the run with the least CPU, for a shared machine only adds to it; but one that went wrong is not passed over."""
    unsound = (result for result in results if result.problem)
    return next(unsound, None) or min(results, key=lambda result: result.figures.cpu_ms_per_notebook)


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What a run left behind."""

    usage: Usage
    told: Told
    used: Mapping[str, bool]
    last_words: str


def _result(scenario: Scenario, program: Program, cloud: Cloud, evidence: _Evidence) -> Result:
    instances = cloud.instances()
    calls = [Call(request["at"], request["kind"], request["status"]) for request in cloud.requests()]
    ended = {notebook_id: ended_at(row) for notebook_id, row in instances.items() if row["deleted"]}
    usage, told = evidence.usage, evidence.told
    # A program that deletes what is in use again deletes more than it should, and its rates still count.
    wanted = scenario.notebooks if scenario.used_again and len(ended) > scenario.expected else scenario.expected
    trouble = problem(usage, told, ended, scenario.expected)
    if usage.code != 0 and not usage.cut_off and evidence.last_words:
        trouble += f": {evidence.last_words}"
    return Result(
        scenario,
        program.name,
        figures(calls, ended, told, usage, wanted, scenario.best_rate),
        trouble,
        judge_comeback(evidence.used, instances, told) if scenario.used_again else None,
    )


def ended_at(row: Json) -> float:
    """Return when a notebook was gone, in epoch seconds."""
    return max(float(moment["at"]) for moment in row["history"] if moment["status"] == "DELETED")


def come_back(cloud: Cloud, scenario: Scenario) -> dict[str, bool]:
    """Use some notebooks again, evenly over the whole fleet; tell of each whether it was still there."""
    step = scenario.notebooks / scenario.used_again
    ids = [row["id"] for row in sorted(cloud.instances().values(), key=lambda row: row["create_at"])]
    chosen = [ids[int(number * step)] for number in range(scenario.used_again)]
    for notebook_id in chosen:
        cloud.change(notebook_id, action="use")
    after = cloud.instances()
    return {notebook_id: after[notebook_id]["accepted_deletes"] == 0 for notebook_id in chosen}


def judge_comeback(used: Mapping[str, bool], instances: Mapping[str, Json], told: Told) -> Comeback:
    """Return what became of those that were used again."""
    in_time = [notebook_id for notebook_id, there in used.items() if there]
    return Comeback(
        used=len(used),
        too_late=len(used) - len(in_time),
        deleted=sum(instances[notebook_id]["accepted_deletes"] > 0 for notebook_id in in_time),
        spared=sum(bool(told.spared.get(notebook_id)) for notebook_id in in_time),
    )


def _told(program: Program, out: bytes) -> Told:
    """Read what a program has said; one that was cut off in the middle of a word has said nothing."""
    try:
        return program.read(out)
    except ValueError:
        return Told({}, {})


def _last_words(err: bytes) -> str:
    lines = err.decode(errors="replace").strip().splitlines()
    return lines[-1][:WORDS_SHOWN] if lines else ""


@contextmanager
def _begun(command: list[str], folder: Path, patience_s: float) -> Iterator[Begun]:
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        launched = [sys.executable, "-I", "-S", str(LAUNCHER), str(folder / "usage.json"), str(patience_s), *command]
        process = subprocess.Popen(
            launched, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=folder, env=environment(folder)
        )
    with ended_afterwards(process):
        yield Begun(process, folder)
