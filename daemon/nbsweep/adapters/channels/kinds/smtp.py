"""Mail servers: one connection for each mail. Accepted means 250 after the data; it does not mean that anybody has read it."""

import re
import ssl
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, parseaddr

import aiosmtplib
import anyio
from msgspec.structs import replace

from nbsweep.adapters.channels.sender import Attempt, accepted, later, misconfigured, refused
from nbsweep.adapters.channels.wording import one_line, provider_id, said
from nbsweep.adapters.network import words_of
from nbsweep.adapters.secret_files import SecretSource
from nbsweep.core.notices.addresses import is_address
from nbsweep.core.notices.channel import Letter
from nbsweep.core.ports import Clock

CONNECT_S = 10.0
TOTAL_S = 30.0
QUIT_S = 2.0
PERMANENT = 500
TOO_LARGE = (552, 523)
"""The sender is refused because of the size of this mail."""
NEEDS_LOGIN = 530
QUEUED_AS = re.compile(r"(?i)queued (?:mail )?(?:as|for delivery as)?\s*<?([A-Za-z0-9._-]+)")


@dataclass(frozen=True, slots=True)
class MailServer:
    """How the server is reached."""

    host: str
    port: int
    tls: str
    """starttls, implicit or none."""
    trust: ssl.SSLContext | None = field(repr=False)
    """None without TLS."""
    username: str | None = field(repr=False)
    password: SecretSource | None


@dataclass(frozen=True, slots=True)
class SmtpSender:
    """Sends mails."""

    server: MailServer
    sender: str
    reply_to: str | None
    clock: Clock = field(repr=False)
    addressed: bool = True

    def size_bytes(self, letter: Letter) -> int:
        """Return the size of the mail."""
        try:
            return len(self._message(letter).as_bytes())
        except ValueError:
            # It will be refused for its address, whatever its size.
            return 0

    async def deliver(self, letter: Letter) -> Attempt:
        """Send a letter once."""
        password = self.server.password.read() if self.server.password else None
        try:
            message = self._message(letter)
        except ValueError:
            return refused("the address is no mail address")
        attempt = await self._send(message, password)
        return self._hiding(attempt, letter.to, letter.to.partition("@")[0], password or "")

    async def log_in(self) -> Attempt:
        """Connect, encrypt and log in as for a mail, and send none.

        Raises:
            Unusable: the password cannot be read.
        """
        password = self.server.password.read() if self.server.password else None
        return self._hiding(await self._send(None, password), password or "")

    def _hiding(self, attempt: Attempt, *secrets: str) -> Attempt:
        """Return an attempt whose detail repeats no secret and no address."""
        hidden = (*secrets, self.server.username or "")
        return replace(attempt, receipt=replace(attempt.receipt, detail=said(attempt.receipt.detail, hidden)))

    async def _send(self, message: EmailMessage | None, password: str | None) -> Attempt:
        """Connect, and send the message if there is one."""
        client, said_last = self._client(password), "connected"
        try:
            with anyio.fail_after(TOTAL_S):
                await client.connect(timeout=CONNECT_S)
                if message is not None:
                    _, said_last = await client.send_message(message)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return _failed(error)
        else:
            await _quit(client)
            return _accepted(said_last)
        finally:
            client.close()

    def _client(self, password: str | None) -> aiosmtplib.SMTP:
        server = self.server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            timeout=TOTAL_S,
            use_tls=server.tls == "implicit",
            start_tls=server.tls == "starttls",
            tls_context=server.trust,
            username=server.username,
            password=password,
        )

    def _message(self, letter: Letter) -> EmailMessage:
        """Build the mail.

        Raises:
            ValueError: the recipient is no mail address.
        """
        message = EmailMessage(SMTP_POLICY)
        message["From"] = _mailbox(self.sender)
        message["To"] = _recipient(letter.to)
        if self.reply_to:
            message["Reply-To"] = _mailbox(self.reply_to)
        message["Subject"] = one_line(letter.subject)
        message["Date"] = format_datetime(self.clock.now())
        message["Message-ID"] = f"<{letter.key}@nbsweep>"
        # Nobody's absence is answered, and no list of mails that can be left: a notice of a deletion is not one.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        if letter.html:
            message.add_alternative(letter.html, subtype="html")
        return message


def _mailbox(text: str) -> Address:
    name, address = parseaddr(text)
    return Address(name, addr_spec=address)


def _recipient(text: str) -> Address:
    if not is_address(text):
        raise ValueError("no mail address")
    return Address(addr_spec=text)


async def _quit(client: aiosmtplib.SMTP) -> None:
    """Say goodbye; the mail is accepted already, whatever comes of it."""
    with anyio.move_on_after(QUIT_S):
        try:
            await client.quit()
        except (aiosmtplib.SMTPException, OSError):
            return


def _accepted(text: str) -> Attempt:
    queued = QUEUED_AS.search(text)
    return accepted(f"250 {text}", provider_id(queued[1]) if queued else "")


def _failed(error: Exception) -> Attempt:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return _of_recipient(error.recipients[0])
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _answered(error)
    if isinstance(error, aiosmtplib.SMTPTimeoutError | TimeoutError):
        return later("no answer within the time limit")
    if isinstance(error, OSError):
        return _not_connected(error)
    return misconfigured(f"the server lacks what the configuration wants: {error}")


def _answered(error: aiosmtplib.SMTPResponseException) -> Attempt:
    """Return what a refusal means that is not about the recipient."""
    if isinstance(error, aiosmtplib.SMTPDataError) or error.code in TOO_LARGE:
        return refused(_words(error)) if error.code >= PERMANENT else later(_words(error))
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return _of_channel(error, "check username and password")
    if isinstance(error, aiosmtplib.SMTPSenderRefused):
        return _of_channel(error, "the server does not let this sender send; check from, username and password")
    return _of_channel(error)


def _of_recipient(error: aiosmtplib.SMTPRecipientRefused) -> Attempt:
    if error.code == NEEDS_LOGIN:
        return _of_channel(error, "check username and password")
    if error.code >= PERMANENT:
        return refused(_words(error))
    return replace(later(_words(error)), of_recipient=True)


def _of_channel(error: aiosmtplib.SMTPResponseException, advice: str = "") -> Attempt:
    words = f"{_words(error)}: {advice}" if advice else _words(error)
    return misconfigured(words) if error.code >= PERMANENT else later(words)


def _words(error: aiosmtplib.SMTPResponseException) -> str:
    return f"{error.code} {error.message}"


def _not_connected(error: Exception) -> Attempt:
    causes = (error, error.__cause__, error.__context__)
    if untrusted := next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None):
        return misconfigured(f"the server is not trusted: {words_of(untrusted)}; check host, ca_file and tls")
    if isinstance(error, aiosmtplib.SMTPServerDisconnected):
        return later("the server closed the connection")
    return later(f"the server cannot be reached: {words_of(error)}")
