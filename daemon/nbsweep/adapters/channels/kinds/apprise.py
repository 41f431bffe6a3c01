"""Any other service, through the extra `nbsweep[apprise]`. It does not look at all answers, so success proves nothing."""

import logging
from dataclasses import dataclass

import anyio

from nbsweep.adapters.channels.sender import Attempt, later, misconfigured, unproven
from nbsweep.adapters.channels.wording import one_line, without_effects
from nbsweep.adapters.secret_files import SecretSource
from nbsweep.core.notices.channel import Letter

TOTAL_S = 30.0
TALKATIVE = ("apprise", "urllib3")
"""Loggers that repeat addresses, which are secrets."""
SENT, FAILED, NO_SERVICE = "sent", "failed", "no service"


@dataclass(frozen=True, slots=True)
class AppriseSender:
    """Sends messages to the service of an Apprise URL."""

    url: SecretSource
    addressed: bool = False

    def size_bytes(self, letter: Letter) -> int:
        """Return the size of the text."""
        return len(letter.text.encode())

    async def deliver(self, letter: Letter) -> Attempt:
        """Send a letter once, in a thread that is left alone after the time limit."""
        url = self.url.read()
        try:
            with anyio.fail_after(TOTAL_S):
                result = await anyio.to_thread.run_sync(_notify, url, letter, abandon_on_cancel=True)
        except ImportError:
            return misconfigured("Apprise is not installed: install nbsweep[apprise]")
        except TimeoutError:
            return later("no result within the time limit")
        if result == NO_SERVICE:
            return misconfigured(f"{self.url.setting}: Apprise knows no service with such an address")
        return unproven("Apprise reports success") if result == SENT else later("Apprise reports a failure, and not which one")


def _notify(url: str, letter: Letter) -> str:
    import apprise  # noqa: PLC0415 - an optional dependency

    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    service = apprise.Apprise()
    if not service.add(url):
        return NO_SERVICE
    title, body = one_line(letter.subject), without_effects(letter.text)
    sent = service.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT, interpret_escapes=False)
    return SENT if sent else FAILED
