"""`notify preview`: the messages to owners and operators as they would look, with samples; nothing is sent."""

from typing import Literal

from msgspec.structs import replace

from nbsweep.adapters.messages.samples import sample_digest, sample_notices
from nbsweep.bootstrap.people.messages import make_renderer
from nbsweep.cli.exits import Exit
from nbsweep.cli.session import Session
from nbsweep.core.notices.channel import Letter
from nbsweep.core.notices.operators import OperatorEvent
from nbsweep.settings import Settings

LetterForm = Literal["text", "html", "markdown"]
LetterLanguage = Literal["en", "zh", "both"]


async def preview_command(
    session: Session, language: LetterLanguage | None, form: LetterForm, event: OperatorEvent | None
) -> Exit:
    """Print a sample message."""
    letter = sample_letter(session.settings, language, event)
    if form == "html":
        session.write_result(letter.html)
    else:
        session.write_result(f"{letter.subject}\n\n{letter.text if form == 'text' else letter.markdown}")
    return Exit.DONE


def sample_letter(settings: Settings, language: LetterLanguage | None, event: OperatorEvent | None) -> Letter:
    """Return a digest with every kind of item, or the message of an event, by the templates of the configuration.

    Raises:
        ConfigurationError: a template of the user's own cannot be used.
    """
    if language is not None:
        settings = settings.model_copy(update={"messages": settings.messages.model_copy(update={"language": language})})
    renderer = make_renderer(settings)
    if event is None:
        digest = sample_digest(renderer.languages[0], renderer.zone)
        return renderer.digest_letter(replace(digest, languages=renderer.languages))
    [notice] = [notice for notice in sample_notices() if notice.event is event]
    return renderer.sized_operator_letter(notice, "sample")
