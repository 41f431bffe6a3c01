"""Identifies this process, and checks whether another process still runs.

The facts come from `/proc`, which counts a process's start from the boot of the machine, so a changed clock does not matter.
Without `/proc` the state of another process is unknown, and its missing heartbeat decides.
"""

import os
import resource
from contextlib import suppress
from getpass import getuser
from pathlib import Path
from uuid import uuid4

from nbsweep.core.lease import Holder

PROC = Path("/proc")
_DEAD = frozenset({"Z", "X", "x"})
"""States of a process that has ended, and whose parent has not collected its status yet."""
_STATE, _STARTED = 0, 19
"""The positions of a process's state and start time after its name, see proc_pid_stat(5)."""


def this_process(proc: Path = PROC) -> Holder:
    """Return this process as a holder of leases; always the same if there is a `/proc`."""
    host, pid, machine = os.uname().nodename, os.getpid(), _machine(proc)
    found = _stat(proc, pid)
    if not machine or found is None:
        return Holder(uuid4().hex, host, "", pid, 0)
    started = int(found[_STARTED])
    return Holder(f"{machine}/{pid}/{started}", host, machine, pid, started)


def is_alive(holder: Holder, proc: Path = PROC) -> bool | None:
    """Return whether a holder's process exists; None if this host cannot check it."""
    if not holder.machine or holder.machine != _machine(proc):
        return None
    found = _stat(proc, holder.pid)
    if found is not None:
        return int(found[_STARTED]) == holder.started and found[_STATE] not in _DEAD
    # Processes of other users may be hidden in /proc, so signal 0 decides.
    return None if _answers(holder.pid) else False


def allow_open_files(count: int) -> int:
    """Raise the limit of open files of this process to `count`, or as far as the system allows; return the new limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return count
    if soft >= count:
        return soft
    raised = count if hard == resource.RLIM_INFINITY else min(count, hard)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
        return raised
    return soft


def current_user() -> str:
    """Return the name of the current user, or the user ID if there is no name, as in a container."""
    try:
        return getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _machine(proc: Path) -> str:
    """Return the boot id of the host with the namespace of process ids, because each container has its own."""
    with suppress(OSError):
        boot = (proc / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{(proc / 'self/ns/pid').readlink()}"
    return ""


def _stat(proc: Path, pid: int) -> list[str] | None:
    """Read the fields after a process's name; the name may contain any characters."""
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
