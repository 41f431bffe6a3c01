import asyncio
import json
import signal
import sys
from pathlib import Path

import aiohttp
import msgspec
import pytest

from nbsweep.simulator import SimulatorOptions, running_simulator

USER = {"name": "sweeper", "password": "simulated-password-1", "domain": {"name": "acct"}}
SCOPE = {"project": {"id": "0123456789abcdef0123456789abcdef"}}
COMMAND = (sys.executable, "-m", "nbsweep.simulator")


async def test_the_process_says_when_it_is_ready_and_ends_cleanly() -> None:
    """One JSON line on stdout; SIGTERM ends it with 0 and without a word."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        "--notebooks=3",
        "--seed=5",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    ready = json.loads(await process.stdout.readline())
    url = ready.pop("url")
    assert ready == {
        "event": "simulator.ready",
        "project_id": "0123456789abcdef0123456789abcdef",
        "access_key": "SIMULATEDACCESSKEY01",
        "secret_key": "simulatedSecretKeySimulatedSecretKey0001",
        "notebooks": 3,
    }
    async with aiohttp.ClientSession() as session, session.get(f"{url}/_simulator/instances") as response:
        assert len(await response.json()) == 3
    process.send_signal(signal.SIGTERM)
    assert await process.communicate() == (b"", b"")
    assert process.returncode == 0


async def test_unknown_options_are_refused(tmp_path: Path) -> None:
    """A misspelt name ends the process with 2 and says where."""
    options = tmp_path / "options.json"
    options.write_text('{"fleet": {"notebook": 3}}')
    process = await asyncio.create_subprocess_exec(
        *COMMAND, f"--options={options}", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    stdout, stderr = await process.communicate()
    assert (process.returncode, stdout) == (2, b"")
    assert b"unknown field `notebook` - at `$.fleet`" in stderr


async def test_options_come_from_standard_input() -> None:
    """`--options -`, with the number of notebooks replaced on the command line."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        "--options=-",
        "--notebooks=2",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b'{"access": {"project_id": "p"}}')
    process.stdin.close()
    ready = json.loads(await process.stdout.readline())
    assert (ready["project_id"], ready["notebooks"]) == ("p", 2)
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 0


async def test_a_list_of_options_runs_a_cloud_for_each() -> None:
    """Each has an address, a state and limits of its own; all are announced in the order of the list."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--options=-", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    strict = {"limits": {"per_api": {"iam": {"calls": 1, "window_s": 3600}}}}
    process.stdin.write(json.dumps([{"fleet": {"notebooks": 1}, **strict}, {"fleet": {"notebooks": 2}}]).encode())
    process.stdin.close()
    first, second = [json.loads(await process.stdout.readline()) for _ in range(2)]
    assert first["url"] != second["url"]
    assert [first["notebooks"], second["notebooks"]] == [1, 2]
    async with aiohttp.ClientSession() as session:
        token = {"auth": {"identity": {"methods": ["password"], "password": {"user": USER}}, "scope": SCOPE}}
        statuses = {}
        for cloud in (first, second):
            statuses[cloud["url"]] = [
                (await session.post(f"{cloud['url']}/v3/auth/tokens", json=token)).status for _ in range(2)
            ]
        assert statuses == {first["url"]: [201, 429], second["url"]: [201, 201]}
        counts = [await (await session.get(f"{cloud['url']}/_simulator/counts")).json() for cloud in (first, second)]
        assert [found["by_kind_and_status"] for found in counts] == [
            {"iam": {"201": 1, "429": 1}},
            {"iam": {"201": 2}},
        ]
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


async def test_an_empty_list_of_options_is_refused() -> None:
    """There must be a cloud to serve."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--options=-", stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    _, stderr = await process.communicate(b"[]")
    assert process.returncode == 2
    assert b"length >= 1" in stderr


def test_options_survive_json() -> None:
    """What is written is what is read."""
    written = msgspec.json.encode(SimulatorOptions())
    assert msgspec.json.decode(written, type=SimulatorOptions) == SimulatorOptions()


async def test_only_loopback_is_served() -> None:
    """The admin interface trusts everybody, so nobody from outside may reach it."""
    with pytest.raises(ValueError, match="loopback"):
        async with running_simulator(SimulatorOptions(), host="192.0.2.1"):
            pass
