"""Mails, with aiosmtpd as a real server."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from channel_rigs import ADDRESS, LETTER, opened
from mail_server import MailServer, mail_server
from nbsweep.core.notices.channel import Acceptance, Letter, Receipt

SENDER = "nbsweep 清理 <nbsweep@example.com>"


async def send(server: MailServer, letter: Letter = LETTER, **settings: Any) -> Receipt:
    """Send a letter by a channel with these settings."""
    given = {"kind": "smtp", "host": "localhost", "port": server.port, "tls": "none", "from": SENDER, **settings}
    async with opened({"mail": given}) as channels:
        return await channels.channels[0].send(letter)


@pytest.mark.parametrize("tls", ["starttls", "implicit", "none"])
async def test_a_mail_arrives_whole_in_each_way_to_connect(tls: str, tmp_path: Path) -> None:
    """Text and HTML, names and subjects in Chinese, and the headers that keep answers of machines away."""
    async with mail_server(tmp_path, tls) as server:
        letter = replace(LETTER, subject="3 个 Notebook 将被删除", text="吴伟：bert-eval-07\n" * 80)
        receipt = await send(server, letter, tls=tls, ca_file=str(server.ca_file) if server.ca_file else None)
    assert (receipt.acceptance, receipt.detail, receipt.provider_id) == (
        Acceptance.ACCEPTED,
        "250 2.0.0 Ok: queued as 4F2K1",
        "4F2K1",
    )
    [mail] = server.mails
    assert (mail.sender, mail.recipients) == ("nbsweep@example.com", (ADDRESS,))
    assert mail.message["Subject"] == letter.subject
    assert mail.message["From"] == SENDER
    assert mail.message["Message-ID"] == f"<{LETTER.key}@nbsweep>"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert mail.message["List-Unsubscribe"] is None
    assert mail.text().replace("\r\n", "\n").rstrip() == letter.text.rstrip()
    assert mail.text("html").strip() == LETTER.html
    assert max(map(len, mail.content.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("wrong", ["authority", "name"])
async def test_a_server_that_is_not_trusted_gets_no_password_and_no_mail(tls: str, wrong: str, tmp_path: Path) -> None:
    """A certificate of an unknown authority, and one of another name."""
    name = "other.example.com" if wrong == "name" else "localhost"
    async with mail_server(tmp_path, tls, name=name) as server:
        trusted: dict[str, Any] = {"ca_file": str(server.ca_file)} if wrong == "name" else {}
        receipt = await send(server, tls=tls, username="nbsweep", password="correct-horse", **trusted)
    assert receipt.acceptance is Acceptance.MISCONFIGURED
    assert "is not trusted" in receipt.detail
    assert server.attempts == 0


async def test_a_server_without_starttls_gets_nothing(tmp_path: Path) -> None:
    """The mail would travel in clear."""
    async with mail_server(tmp_path) as server:
        receipt = await send(server, tls="starttls")
    assert (receipt.acceptance, server.attempts) == (Acceptance.MISCONFIGURED, 0)
    assert "STARTTLS" in receipt.detail


async def test_a_login_that_is_refused_is_of_the_channel(tmp_path: Path) -> None:
    """It names what to check, and no password."""
    async with mail_server(tmp_path, "starttls", login=("nbsweep", "right-password")) as server:
        receipt = await send(server, tls="starttls", ca_file=str(server.ca_file), username="nbsweep", password="wrong-password")
    assert (receipt.acceptance, server.attempts) == (Acceptance.MISCONFIGURED, 0)
    assert receipt.detail.startswith("535 ")
    assert "check username and password" in receipt.detail


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"recipient_answers": {ADDRESS: "451 4.7.1 greylisted"}}, Acceptance.LATER),
        ({"recipient_answers": {ADDRESS: "452 4.2.2 mailbox full"}}, Acceptance.LATER),
        ({"recipient_answers": {ADDRESS: "550 5.1.1 unknown"}}, Acceptance.REFUSED),
        ({"recipient_answers": {ADDRESS: "530 5.7.0 Must issue a STARTTLS command first"}}, Acceptance.MISCONFIGURED),
        ({"sender_answer": "451 4.3.0 busy"}, Acceptance.LATER),
        ({"sender_answer": "552 5.3.4 message too large"}, Acceptance.REFUSED),
        ({"sender_answer": "553 5.7.1 not owned by user"}, Acceptance.MISCONFIGURED),
        ({"data_answer": "421 4.3.2 shutting down"}, Acceptance.LATER),
        ({"data_answer": "554 5.7.1 spam"}, Acceptance.REFUSED),
    ],
    ids=str,
)
async def test_each_refusal_is_of_the_mail_of_the_recipient_or_of_the_channel(
    answers: dict[str, Any], expected: Acceptance, tmp_path: Path
) -> None:
    """By where in the dialogue it is given, and by its first digit."""
    async with mail_server(tmp_path) as server:
        for name, answer in answers.items():
            setattr(server, name, answer)
        receipt = await send(server)
    assert (receipt.acceptance, server.mails) == (expected, [])


async def test_a_server_that_is_away_may_be_back_later(tmp_path: Path) -> None:
    """Nobody listens on its port."""
    async with mail_server(tmp_path) as server:
        pass
    receipt = await send(server)
    assert receipt.acceptance is Acceptance.LATER
    assert "cannot be reached" in receipt.detail
