"""`notify test`: sends a test message by one channel, and shows what the other side said."""

from difflib import get_close_matches
from secrets import token_hex
from typing import Literal

from nbsweep.adapters.clock import SystemClock
from nbsweep.bootstrap.people.channels import open_channel_alone
from nbsweep.cli.exits import Exit
from nbsweep.cli.session import Session
from nbsweep.cli.text import printable
from nbsweep.core.errors import UsageError
from nbsweep.core.notices.channel import Acceptance, Channel, Receipt
from nbsweep.core.notices.trial import trial_letter
from nbsweep.core.reasons.language import Language
from nbsweep.documents.people.notify import counts_as_told, trial_document
from nbsweep.settings import Settings

INTERRUPTED = Receipt(Acceptance.LATER, "interrupted")
UNTRUSTED = "; it counts only with trust_unproven: true"


async def notify_test_command(
    session: Session, name: str, to: str, language: Language, output: Literal["table", "json"]
) -> Exit:
    """Send a test message."""
    require_channel(session.settings, name)
    receipt = INTERRUPTED
    async with open_channel_alone(session.settings, name, session.environment, SystemClock()) as channels:
        [channel] = channels.channels
        _require_address(channel, to)
        async with session.until_shutdown():
            receipt = await channel.send(trial_letter(f"test{token_hex(8)}", name, language, to))
    if session.shutdown.begun.is_set():
        return Exit.INTERRUPTED
    if output == "json":
        session.write_json(trial_document(channel, session.settings.channels[name].kind, receipt))
    else:
        session.write_result(printable(describe(receipt, channel)))
    return Exit.DONE if counts_as_told(receipt, channel) else Exit.SOME_FAILED


def require_channel(settings: Settings, name: str) -> None:
    """Refuse a name that is not the name of a channel.

    Raises:
        UsageError: it is not.
    """
    known = list(settings.channels)
    if name in known:
        return
    if not known:
        raise UsageError("the configuration has no channels; docs/reference/channels.md describes them")
    near = get_close_matches(name, known, n=1)
    raise UsageError(f"{name} is not a channel. {f'Did you mean {near[0]}?' if near else 'There are: ' + ', '.join(known)}")


def _require_address(channel: Channel, to: str) -> None:
    if channel.addressed and not to:
        raise UsageError(f"channel {channel.name} sends to single persons: name one with --to")
    if to and not channel.addressed:
        raise UsageError(f"channel {channel.name} sends to one fixed place: leave out --to")


def describe(receipt: Receipt, channel: Channel) -> str:
    """Return what the other side said in one line."""
    untrusted = receipt.acceptance is Acceptance.UNPROVEN and not channel.trust_unproven
    return f"{receipt.acceptance}: {receipt.detail}{UNTRUSTED if untrusted else ''}"
