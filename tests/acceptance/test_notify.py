"""`notify test`: the real command, real robots and a real mail server, and what each exit code means."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from acceptance.support import Desk, Ended
from channel_rigs import ADDRESS
from mail_server import mail_server
from robots import SECRET, TOKEN, Mood, Robots, robots

CONFIGURATION: dict[str, Any] = {
    "targets": [{"name": "research", "region": "cn-north-4", "credentials": {"access_key": "A", "secret_key": "B"}}],
    "policies": [{"name": "idle", "match": {"status": "STOPPED", "idle_over": "14d"}}],
}


async def notify_test(desk: Desk, *arguments: str, **channels: Any) -> Ended:
    """Run the command beside the servers of this test; no output of it holds a secret or an address."""
    desk.config.write_text(yaml.safe_dump({**CONFIGURATION, "channels": channels}), encoding="utf-8")
    ended = await asyncio.to_thread(desk.run, "notify", "test", *arguments)
    assert [secret for secret in (TOKEN, SECRET, ADDRESS) if secret in f"{ended.out}{ended.err}"] == []
    return ended


def robot(server: Robots, folder: Path, secret: str = SECRET) -> dict[str, Any]:
    """Add a robot of DingTalk, and return its channel."""
    path = folder / "url"
    path.write_text(server.add("dingtalk", SECRET).url, encoding="utf-8")
    path.chmod(0o600)
    return {"kind": "dingtalk", "url_file": str(path), "secret": secret}


async def test_what_the_other_side_said_is_shown_and_decides_the_exit_code(desk: Desk, tmp_path: Path) -> None:
    """HTTP 200 each time: accepted, and refused for two reasons."""
    async with robots() as server:
        ended = await notify_test(desk, "ops", ops=robot(server, tmp_path))
        assert (ended.code, ended.out) == (0, "accepted: errcode 0 ok\n")
        ended = await notify_test(desk, "ops", ops=robot(server, tmp_path, "SEC-of-another-robot"))
        assert (ended.code, ended.out) == (3, "misconfigured: errcode 310000 sign not match: the secret is not the robot's\n")
        channel = robot(server, tmp_path)
        server.robots["/robot/send"].mood = Mood.REFUSES_ALL
        ended = await notify_test(desk, "ops", "--format", "json", ops=channel)
    found = json.loads(ended.out)
    assert (ended.code, found["acceptance"], found["counts"]) == (3, "misconfigured", False)
    assert "keywords not in content" in found["detail"]
    assert "add one of the robot's keywords" in found["detail"]


async def test_a_mail_goes_to_the_address_that_is_given_in_the_language_that_is_given(desk: Desk, tmp_path: Path) -> None:
    """Without an address the command says what is missing, and nothing is sent."""
    async with mail_server(tmp_path) as server:
        mail = {"kind": "smtp", "host": "localhost", "port": server.port, "tls": "none", "from": "nbsweep@example.com"}
        assert (await notify_test(desk, "mail", mail=mail)).code == 2
        assert server.mails == []
        ended = await notify_test(desk, "mail", "--to", ADDRESS, "--language", "zh", mail=mail)
    assert (ended.code, ended.out) == (0, "accepted: 250 2.0.0 Ok: queued as 4F2K1\n")
    assert [mail.message["Subject"] for mail in server.mails] == ["nbsweep 测试消息"]


@pytest.mark.parametrize(("trust", "code"), [(False, 3), (True, 0)])
async def test_an_unproven_answer_counts_only_if_the_configuration_says_so(desk: Desk, *, trust: bool, code: int) -> None:
    """Teams answers before it posts."""
    async with robots() as server:
        channel = {"kind": "teams", "url": server.add("teams").url, "trust_unproven": trust}
        ended = await notify_test(desk, "team", team=channel)
    assert ended.code == code
    assert ("trust_unproven: true" in ended.out) is not trust


async def test_a_channel_that_does_not_exist_is_a_mistake_of_the_caller(desk: Desk) -> None:
    """It says which there are."""
    ended = await notify_test(desk, "op", ops={"kind": "slack", "url": "https://hooks.slack.com/services/x"})
    assert ended.code == 2
    assert "op is not a channel. Did you mean ops?" in ended.err
