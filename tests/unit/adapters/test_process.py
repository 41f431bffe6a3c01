"""Who this process is, and whether another is still there; by a real `/proc` where there is one, and by a made one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from nbsweep.adapters.process import PROC, is_alive, this_process

BOOT = "0c7ab3ee-0000-4000-8000-000000000001"
NOBODY = 2**22 + 1
"""No process has such a number: it is beyond the largest there may be."""

TELL = """
import sys
from nbsweep.adapters.process import this_process
print(this_process().started, flush=True)
sys.stdin.read()
"""

real_proc = pytest.mark.skipif(not (PROC / "self/stat").exists(), reason="there is no /proc here")


class Machine:
    """A made `/proc`."""

    def __init__(self, folder: Path) -> None:
        self.proc = folder
        boot = folder / "sys/kernel/random/boot_id"
        boot.parent.mkdir(parents=True)
        boot.write_text(f"{BOOT}\n")
        (folder / "self/ns").mkdir(parents=True)
        self.room("pid:[4026531836]")

    def room(self, name: str) -> None:
        """Say to which room the process ids belong."""
        link = self.proc / "self/ns/pid"
        link.unlink(missing_ok=True)
        link.symlink_to(name)

    def run(self, pid: int, started: int, state: str = "S", name: str = "python") -> None:
        """Let a process be there, with all the 52 fields that it has in proc_pid_stat(5)."""
        fields = [state, *["0"] * 18, str(started), *["0"] * 30]
        (self.proc / str(pid)).mkdir(exist_ok=True)
        (self.proc / str(pid) / "stat").write_text(f"{pid} ({name}) {' '.join(fields)}\n")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine on which this process runs."""
    made = Machine(tmp_path)
    made.run(os.getpid(), 4711)
    return made


def test_a_process_is_the_same_whenever_it_is_asked(machine: Machine) -> None:
    """And nobody else: machine, number and start go into what it is called."""
    me = this_process(machine.proc)
    assert me == this_process(machine.proc)
    assert (me.pid, me.started, me.host) == (os.getpid(), 4711, os.uname().nodename)
    machine.run(os.getpid(), 4712)
    assert this_process(machine.proc).owner != me.owner


def test_it_is_alive_while_it_is_there(machine: Machine) -> None:
    """With the same start."""
    assert is_alive(this_process(machine.proc), machine.proc) is True


@pytest.mark.parametrize("name", ["python", "a) S 1 (b", "two words"])
def test_a_name_does_not_confuse(machine: Machine, name: str) -> None:
    """A process may be called whatever it likes."""
    machine.run(os.getpid(), 4711, name=name)
    assert is_alive(this_process(machine.proc), machine.proc) is True


def test_another_process_with_its_number_is_not_it(machine: Machine) -> None:
    """Numbers come round."""
    me = this_process(machine.proc)
    machine.run(os.getpid(), 99_999)
    assert is_alive(me, machine.proc) is False


@pytest.mark.parametrize("state", ["Z", "X"])
def test_one_that_has_ended_is_dead_though_its_parent_has_not_looked(machine: Machine, state: str) -> None:
    """As in a container without an init."""
    me = this_process(machine.proc)
    machine.run(os.getpid(), 4711, state)
    assert is_alive(me, machine.proc) is False


def test_one_that_is_not_there_is_dead(machine: Machine) -> None:
    """Its number belongs to nobody."""
    assert is_alive(replace(this_process(machine.proc), pid=NOBODY), machine.proc) is False


def test_one_that_is_hidden_cannot_be_told_from_another(machine: Machine) -> None:
    """`hidepid` hides other users' processes in /proc, but not that there are some; process 1 is always there."""
    assert is_alive(replace(this_process(machine.proc), pid=1), machine.proc) is None


def test_of_another_machine_nothing_can_be_told(machine: Machine) -> None:
    """The same number there is somebody else; so it is after a restart, and in another container on the same host."""
    me = this_process(machine.proc)
    assert is_alive(replace(me, machine="elsewhere"), machine.proc) is None
    machine.room("pid:[4026532999]")
    assert is_alive(me, machine.proc) is None


def test_without_proc_nothing_can_be_told(tmp_path: Path) -> None:
    """Each answer is then a holder of its own, and silence decides."""
    me = this_process(tmp_path)
    assert (me.machine, is_alive(me, tmp_path)) == ("", None)
    assert this_process(tmp_path).owner != me.owner


@real_proc
def test_a_real_process_is_alive_until_it_is_killed() -> None:
    """It says who it is; killed and not yet waited for, it is dead, and so it is afterwards."""
    with subprocess.Popen([sys.executable, "-c", TELL], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        started = int(process.stdout.readline())
        it = replace(this_process(), owner="it", pid=process.pid, started=started)
        assert is_alive(it) is True
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_alive(it) is False
    assert is_alive(it) is False
