"""Processes that want the same lease at the same moment."""

import asyncio
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from builders import target_lease
from nbsweep.adapters.journal import open_journal
from nbsweep.core.lease import TargetLease

DEAD = target_lease("dead")

WANT = """
import asyncio, sys
from datetime import UTC, datetime
from nbsweep.adapters.journal import open_journal
from nbsweep.core.lease import Holder, TargetLease

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

async def main(address, owner):
    mine = TargetLease("research", Holder(owner, "vm", "m1", 2, 2), "li", NOON, NOON)
    async with open_journal(address) as journal:
        seen = await journal.leases.find("research")
        print("ready", flush=True)
        sys.stdin.readline()
        print((await journal.leases.take(mine, seen)).holder.owner, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


async def leave(address: str, lease: TargetLease | None) -> None:
    """Leave a journal behind, with that lease in it."""
    async with open_journal(address) as journal:
        if lease:
            await journal.leases.take(lease, None)


async def look(address: str) -> TargetLease | None:
    """Return what is in it."""
    async with open_journal(address) as journal:
        return await journal.leases.find("research")


def started(address: str, owner: str) -> "subprocess.Popen[str]":
    """Start a process that will want the lease."""
    command = [sys.executable, "-c", WANT, address, owner]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def line_of(process: "subprocess.Popen[str]") -> str:
    """Wait for what a process says next."""
    assert process.stdout
    return process.stdout.readline().strip()


@pytest.mark.parametrize("before", [None, DEAD], ids=["free", "dead"])
def test_of_several_processes_that_want_a_lease_at_once_one_gets_it(tmp_path: Path, before: TargetLease | None) -> None:
    """All have seen the same before any of them tries; afterwards all name the same one."""
    address = f"sqlite:///{tmp_path}/journal.db"
    asyncio.run(leave(address, before))
    names = ["a", "b", "c"]
    with ExitStack() as stack:
        processes = [stack.enter_context(started(address, name)) for name in names]
        assert [line_of(process) for process in processes] == ["ready"] * len(names)
        for process in processes:
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
        told = [line_of(process) for process in processes]
    held = asyncio.run(look(address))
    assert held is not None
    assert held.holder.owner in names
    assert told == [held.holder.owner] * len(names)
