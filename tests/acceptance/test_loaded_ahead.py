"""What a sweep may need is there before its first DELETE: later the installation may be replaced, or no file left to open."""

import resource
from collections.abc import Callable

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Desk, eventually, idle, idle_fleet

GUARD = """
import os, sys

class Guard:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if os.path.exists({flag!r}):
            with open({told!r}, "a") as told:
                told.write(name + "\\n")
            raise ModuleNotFoundError("the installation was replaced: no " + name)
        return None

sys.meta_path.insert(0, Guard)
"""
"""From when the file is there on, no module can be imported any more."""

TROUBLES = ("error_500_before", "error_500_after", "reset_before", "reset_after", "html_502", "throttle", "echo")


@pytest.mark.parametrize(
    ("options", "end"), [(("--format", "table"), "by itself"), (("--format", "json"), "journal lost")], ids=["table", "json"]
)
def test_nothing_is_imported_after_the_first_delete(simulate: Simulate, desk: Desk, options: tuple[str, ...], end: str) -> None:
    """Whatever the cloud answers, however the sweep ends, and whatever is shown of it: names that are wide, and failures."""
    cloud = simulate([idle(f"nb-{number}", name=f"笔记本 🎉 {number}", owner="李") for number in range(30)])
    desk.write(cloud, target={"limits": {"delete": "15/s"}}, logging={"level": "error"})
    flag, told = desk.folder / "replaced", desk.folder / "imported"
    (desk.folder / "sitecustomize.py").write_text(GUARD.format(flag=str(flag), told=str(told)))
    desk.environment["PYTHONPATH"] = str(desk.folder)
    with desk.started("run", "--yes", *options) as started:
        eventually(lambda: len(cloud.deletes()) >= 1, "the first DELETE")
        flag.touch()
        cloud.break_with(*({"fault": fault, "kind": "delete"} for fault in TROUBLES))
        cloud.break_with(*({"fault": fault, "kind": kind} for fault in TROUBLES for kind in ("show", "list_all")))
        cloud.break_with({"fault": "delete_failed"})
        eventually(lambda: len(cloud.deletes()) >= 15, "half of the DELETEs")
        if end == "journal lost":
            desk.journal.unlink()
        ended = started.ended()
    assert not told.exists(), told.read_text()
    assert "Traceback" not in ended.err
    assert ended.code == {"by itself": 3, "journal lost": 1}[end], ended.err


def few_files(count: int) -> Callable[[], None]:
    """Do what `ulimit -n` does."""
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))


def test_few_open_files_bound_the_connections(simulate: Simulate, desk: Desk) -> None:
    """With `ulimit -n 64` a sweep that wants more of them has fewer calls under way, says so, and lacks nothing else."""
    rates = {"all": {"error_500_before": 0.05, "reset_before": 0.05}}
    cloud = simulate(idle_fleet(120), timing={"latency_median_s": 0.1}, faults={"rates": rates})
    desk.write(cloud, target={"limits": {"concurrency": 200}})
    with desk.started("run", "--yes", "--format", "json", prepare=few_files(64)) as started:
        ended = started.ended()
    assert ended.code == 0, ended.err
    assert len(cloud.gone()) == 120
    (bounded,) = ended.events("connections.bounded")
    assert (bounded["wanted"], bounded["open_files"]) == (200, 64)
    assert 1 <= bounded["allowed"] < 64


def test_too_few_open_files_are_refused_in_words(simulate: Simulate, desk: Desk) -> None:
    """Exit 1 before anything is asked of the cloud; it says how many are needed."""
    cloud = simulate(idle_fleet(3))
    desk.write(cloud)
    with desk.started("run", "--yes", prepare=few_files(24)) as started:
        ended = started.ended()
    assert ended.code == 1
    assert "open files" in ended.error["error"]
    assert "ulimit -n" in ended.error["error"]
    assert cloud.requests() == []


def test_a_soft_limit_is_raised_for_many_targets(simulate: Simulate, desk: Desk) -> None:
    """Where the system allows more open files than the shell has asked for, nothing is bounded."""
    cloud = simulate(idle_fleet(40))
    desk.write(cloud, target={"limits": {"concurrency": 100}})
    with desk.started(
        "run", "--yes", "--format", "json", prepare=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 4096))
    ) as started:
        ended = started.ended()
    assert (ended.code, ended.events("connections.bounded"), len(cloud.gone())) == (0, [], 40)
