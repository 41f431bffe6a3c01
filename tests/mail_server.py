"""A real mail server on loopback, which keeps what it accepts, and refuses, waits or breaks off as a test says."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import cast

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

ACCEPTED = "250 2.0.0 Ok: queued as 4F2K1"
NAME = "mail.test"


@dataclass(frozen=True)
class Mail:
    """A mail that the server has accepted."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes = field(repr=False)

    @property
    def message(self) -> EmailMessage:
        """The parsed mail."""
        return message_from_bytes(self.content, policy=default)

    def text(self, subtype: str = "plain") -> str:
        """Return one form of the text."""
        part = self.message.get_body((subtype,))
        assert part is not None
        return str(part.get_content())


@dataclass
class MailServer:
    """What the server does, and what it has taken."""

    port: int = 0
    ca_file: Path | None = None
    mails: list[Mail] = field(default_factory=list)
    attempts: int = 0
    """How often data arrived, whatever came of it."""
    sender_answer: str = ""
    """The answer to the sender; empty for acceptance."""
    recipient_answers: dict[str, str] = field(default_factory=dict)
    """The answers to recipients; others are accepted."""
    data_answer: str = ACCEPTED
    hangs: bool = False
    """Whether the data is never answered."""
    breaks_off: bool = False
    """Whether the connection ends instead of the answer to the data."""
    login: tuple[str, str] | None = None

    async def handle_MAIL(  # noqa: N802 - the library's name and signature
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer to the sender."""
        if self.sender_answer:
            return self.sender_answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - the library's name and signature
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer to a recipient."""
        if answer := self.recipient_answers.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - the library's name
        """Answer to the data."""
        self.attempts += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.breaks_off:
            assert server.transport is not None
            server.transport.close()
            return "421 Bye"
        if self.data_answer.startswith("2"):
            self.mails.append(
                Mail(str(envelope.mail_from), tuple(map(str, envelope.rcpt_tos)), cast("bytes", envelope.original_content))
            )
        return self.data_answer

    def authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: object) -> AuthResult:
        """Compare a login."""
        known = isinstance(given, LoginPassword) and self.login == (given.login.decode(), given.password.decode())
        return AuthResult(success=known, handled=False)


@asynccontextmanager
async def mail_server(
    folder: Path, tls: str = "none", login: tuple[str, str] | None = None, name: str = "localhost"
) -> AsyncIterator[MailServer]:
    """Run a server; with TLS it has a certificate for a name, of an authority whose certificate is in `ca_file`."""
    server = MailServer(login=login)
    context = _certified(server, folder, name) if tls != "none" else None
    protocols: list[SMTP] = []

    def connect() -> SMTP:
        protocol = SMTP(
            server,
            hostname=NAME,
            enable_SMTPUTF8=True,
            tls_context=context if tls == "starttls" else None,
            require_starttls=tls == "starttls",
            authenticator=server.authenticate if login else None,
            auth_required=login is not None,
            auth_require_tls=tls == "starttls",
        )
        protocols.append(protocol)
        return protocol

    loop = asyncio.get_running_loop()
    listener = await loop.create_server(connect, "127.0.0.1", 0, ssl=context if tls == "implicit" else None)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        await listener.wait_closed()
        for protocol in protocols:
            if protocol.transport is not None:
                protocol.transport.close()
            await _ended(protocol)


async def _ended(protocol: SMTP) -> None:
    """Wait for the task of a connection, which the library leaves to itself."""
    task = getattr(protocol, "_handler_coroutine", None)
    if task is not None:
        task.cancel()
        await asyncio.wait([task])


def _certified(server: MailServer, folder: Path, name: str) -> ssl.SSLContext:
    authority = trustme.CA()
    server.ca_file = folder / "mail-ca.pem"
    authority.cert_pem.write_to_path(server.ca_file)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return context
