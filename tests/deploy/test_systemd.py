"""The units, judged by systemd itself."""

import re
import shutil
from pathlib import Path

import pytest

from deploy.support import DEPLOY, call

UNITS = DEPLOY / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
OF_NBSWEEP = [name for name in SERVICES if name != "nbsweep-failure@.service"]
TOLERATED = 20
"""In tenths: an exposure of 2.0 of 10."""
SYSTEMD_OWN = Path("/usr/lib/systemd/system")


def machine(folder: Path) -> Path:
    """Lay out as much of a machine as systemd looks at: its own units, ours, and the commands that ours call."""
    units = folder / "etc/systemd/system"
    shutil.copytree(UNITS, units)
    own = SYSTEMD_OWN if SYSTEMD_OWN.is_dir() else Path("/lib/systemd/system")
    shutil.copytree(own, folder / "usr/lib/systemd/system", symlinks=True)
    (folder / "lib").symlink_to("usr/lib")
    for command in ("opt/nbsweep/bin/nbsweep", "etc/nbsweep/on-failure"):
        place = folder / command
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("#!/bin/sh\n", encoding="utf-8")
        place.chmod(0o755)
    return units


def verify(folder: Path, *units: str) -> tuple[int, str]:
    """Let systemd read the units as that machine's."""
    said = call("systemd-analyze", "verify", f"--root={folder}", "--man=no", *units)
    return said.returncode, said.stdout + said.stderr


def test_there_are_a_service_and_a_timer_with_its_own() -> None:
    """The two ways of running it on a machine, and what is called when either fails."""
    assert {path.name for path in UNITS.iterdir()} == {
        "nbsweep-failure@.service",
        "nbsweep-sweep.service",
        "nbsweep-sweep.timer",
        "nbsweep-worker@.service",
        "nbsweep.service",
    }


def test_systemd_reads_every_unit_without_a_word(tmp_path: Path) -> None:
    """It only warns of a key that it does not know, so that its silence counts, not its exit code alone."""
    units = machine(tmp_path)
    assert verify(tmp_path, *sorted(path.name for path in units.iterdir())) == (0, "")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("WatchdogSec=", "WatchdogSecs="),
        ("Type=notify", "Type=notified"),
        ("SystemCallFilter=@system-service", "SystemCallFilter=@system-services"),
        ("/opt/nbsweep/bin/nbsweep serve", "/opt/nbsweep/bin/nbsweeper serve"),
    ],
)
def test_a_mistake_in_a_unit_would_be_told(tmp_path: Path, right: str, wrong: str) -> None:
    """A silent judge proves nothing unless he speaks when there is something to say."""
    unit = machine(tmp_path) / "nbsweep.service"
    text = unit.read_text(encoding="utf-8")
    assert right in text
    unit.write_text(text.replace(right, wrong), encoding="utf-8")
    assert verify(tmp_path, "nbsweep.service")[1]


@pytest.mark.parametrize("service", SERVICES)
def test_the_exposure_of_each_service_is_two_of_ten_at_the_most(service: str) -> None:
    """By systemd's own reckoning of what a taken over process could still do."""
    said = call("systemd-analyze", "security", "--offline=true", f"--threshold={TOLERATED}", "--no-pager", str(UNITS / service))
    assert said.returncode == 0, said.stdout
    level = re.search(r"exposure level for \S+: ([\d.]+)", said.stdout)
    assert level
    assert float(level[1]) <= TOLERATED / 10


def test_a_service_without_its_fences_would_be_told(tmp_path: Path) -> None:
    """The threshold binds."""
    text = (UNITS / "nbsweep.service").read_text(encoding="utf-8")
    bare = tmp_path / "bare.service"
    bare.write_text(re.sub(r"(?m)^(Protect|Restrict|Private|SystemCall|Capability)\w+=.*\n", "", text), encoding="utf-8")
    assert call("systemd-analyze", "security", "--offline=true", f"--threshold={TOLERATED}", str(bare)).returncode


@pytest.mark.parametrize("service", OF_NBSWEEP)
def test_a_stop_leaves_more_time_than_the_drain_takes(service: str) -> None:
    """`service.drain` is 60 s unless it is changed; systemd must not kill before that is over."""
    stop = re.search(r"(?m)^TimeoutStopSec=(\d+)s$", (UNITS / service).read_text(encoding="utf-8"))
    assert stop
    assert int(stop[1]) > 60


def test_a_reload_waits_for_its_answer_where_the_service_leaves_it() -> None:
    """And needs no program but nbsweep's own."""
    unit = (UNITS / "nbsweep.service").read_text(encoding="utf-8")
    assert re.search(r"(?m)^ExecReload=/opt/nbsweep/bin/nbsweep serve --reload$", unit)
    assert re.search(r"(?m)^RuntimeDirectory=nbsweep$", unit)


@pytest.mark.parametrize("service", OF_NBSWEEP)
def test_a_failure_is_told_to_the_hook_with_the_name_of_the_unit(tmp_path: Path, service: str) -> None:
    """The template unit gets the name of the unit that failed; without a hook it does nothing."""
    machine(tmp_path)
    (named,) = re.findall(r"(?m)^OnFailure=(.*)$", (UNITS / service).read_text(encoding="utf-8"))
    failed = service.replace("@", "@9465").removesuffix(".service")
    assert verify(tmp_path, named.replace("%N", failed)) == (0, "")
    assert verify(tmp_path, "nbsweep-failures@nbsweep.service")[1], "a template that is not there would be told"
    template = (UNITS / "nbsweep-failure@.service").read_text(encoding="utf-8")
    assert "ConditionFileIsExecutable=/etc/nbsweep/on-failure" in template
    assert "ExecStart=/etc/nbsweep/on-failure %i" in template
    assert "OnFailure=" not in re.sub(r"(?m)^#.*", "", template), "a hook that fails must not call itself"


def test_a_worker_is_as_closed_as_the_service() -> None:
    """Every line of the service that takes a right away, or bounds what it may use, is one of the worker too."""
    bounds = re.compile(
        r"(?m)^(?:Protect|Restrict|Private|SystemCall|Capability|Ambient|NoNew|Lock|Memory|Tasks|Limit|RemoveIPC|Device|Dynamic|UMask)"
        r"\w*=.*$"
    )
    service, worker = ((UNITS / name).read_text(encoding="utf-8") for name in ("nbsweep.service", "nbsweep-worker@.service"))
    assert bounds.findall(worker) == bounds.findall(service)
    assert re.search(r"(?m)^ExecStart=/opt/nbsweep/bin/nbsweep worker --listen 127\.0\.0\.1:%i$", worker)
