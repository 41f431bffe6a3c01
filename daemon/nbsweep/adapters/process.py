"""Identifies this process, and checks whether another process still runs.

The facts come from `/proc`, which counts a process's start from the boot of the machine, so a changed clock does not matter.
Without `/proc` nothing is known of another process, and its missing heartbeat decides.
"""

import os
import resource
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from nbsweep.core.lease import Holder

PROC = Path("/proc")
_DEAD = frozenset({"Z", "X", "x"})
"""States of a process that has ended, and whose parent has not looked yet."""
_STATE, _STARTED = 0, 19
"""Where a process's state and its start stand behind its name, see proc_pid_stat(5)."""


def this_process(proc: Path = PROC) -> Holder:
    """Return which process this is; the same each time it is asked, where there is a `/proc`."""
    host, pid, machine = os.uname().nodename, os.getpid(), _machine(proc)
    found = _stat(proc, pid)
    if not machine or found is None:
        return Holder(uuid4().hex, host, "", pid, 0)
    started = int(found[_STARTED])
    return Holder(f"{machine}/{pid}/{started}", host, machine, pid, started)


def is_alive(holder: Holder, proc: Path = PROC) -> bool | None:
    """Return whether a holder's process is there; None when that cannot be told from here."""
    if not holder.machine or holder.machine != _machine(proc):
        return None
    found = _stat(proc, holder.pid)
    if found is not None:
        return int(found[_STARTED]) == holder.started and found[_STATE] not in _DEAD
    # Other users' processes may be hidden in /proc; they are there all the same.
    return None if _answers(holder.pid) else False


def allow_open_files(wanted: int) -> int:
    """Raise this process's own limit to so many open files, or as far as the system allows; returns the limit then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    if soft >= wanted:
        return soft
    raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
        return raised
    return soft


def _machine(proc: Path) -> str:
    """Name the host from one start to the next, with the room that its process ids belong to: a container has its own."""
    with suppress(OSError):
        boot = (proc / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{(proc / 'self/ns/pid').readlink()}"
    return ""


def _stat(proc: Path, pid: int) -> list[str] | None:
    """Read what stands behind a process's name, which itself may hold anything."""
    with suppress(OSError, ValueError):
        return (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(") ")[2].split()
    return None


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
