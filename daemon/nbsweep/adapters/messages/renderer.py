"""Renders digests and events as letters of a size that a channel accepts."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import NamedTuple
from zoneinfo import ZoneInfo

from markupsafe import Markup
from msgspec import Struct

from nbsweep.adapters.messages.environment import SUBJECT, Templates
from nbsweep.adapters.messages.escaping import HTML, MARKDOWN, TEXT, Form, clean, shorten
from nbsweep.adapters.messages.views import DigestView, OperatorView, Viewer, variables
from nbsweep.core.notices.channel import Channel, Letter
from nbsweep.core.notices.digest import Digest, split
from nbsweep.core.notices.operators import OperatorNotice
from nbsweep.core.reasons.language import Language

LONGEST_SUBJECT = 200
LARGEST_HTML = 90_000
"""In bytes. Some mail programs show no more than the first 100 KB of a mail, and what is not shown is not told."""
TEXT_RULE = f"\n\n{'=' * 60}\n\n"
MARKDOWN_RULE = "\n\n---\n\n"
OPERATOR_SIZES = ((50, 1000), (20, 300), (5, 150), (0, 60))
"""How many owners, and how many characters of each explanation, a letter for operators holds; the first that fits."""


class Part(NamedTuple):
    """A letter, and the items that it lists."""

    letter: Letter
    item_ids: tuple[str, ...]


class Content(Struct, frozen=True):
    """What a letter says, apart from language and form."""

    kind: str
    """The beginning of the names of its templates."""
    languages: Sequence[Language]
    zone: ZoneInfo
    view: Callable[[Viewer], DigestView | OperatorView]


class Body(Struct, frozen=True):
    """The HTML of a message in one language."""

    language: str
    text: Markup


class Renderer(Struct, frozen=True):
    """Renders messages by templates."""

    templates: Templates
    languages: tuple[Language, ...]
    """The languages of messages for operators."""
    zone: str
    """The time zone of messages for operators."""

    def letters(self, digest: Digest, channel: Channel, to: str = "") -> tuple[Part, ...]:
        """Return a digest as letters that the channel accepts; each item is in exactly one of them.

        The same digest always gives the same letters. The key of a letter is a digest of the message's key and its items. A
        letter of a single item may be too large all the same, if even its shortest form is.
        """

        def fits(part: Digest) -> bool:
            letter = self.digest_letter(part, to)
            return channel.size_bytes(letter) <= channel.limit_bytes and len(letter.html.encode()) <= LARGEST_HTML

        return tuple(Part(self.digest_letter(part, to), part.item_ids) for part in split(digest, fits))

    def digest_letter(self, digest: Digest, to: str = "") -> Letter:
        """Return a digest as one letter, of whatever size."""
        key = sha256("\n".join((digest.key, *digest.item_ids)).encode()).hexdigest()
        content = Content("digest", digest.languages, ZoneInfo(digest.zone), lambda viewer: viewer.digest(digest))
        return self._letter(content, key, to)

    def operator_letter(self, notice: OperatorNotice, key: str, channel: Channel, to: str = "") -> Letter:
        """Return an event as one letter; owners and explanations are cut until the channel accepts it."""
        letters = (self.sized_operator_letter(notice, key, to, size) for size in OPERATOR_SIZES)
        *others, shortest = letters
        return next((each for each in others if channel.size_bytes(each) <= channel.limit_bytes), shortest)

    def sized_operator_letter(
        self, notice: OperatorNotice, key: str, to: str = "", size: tuple[int, int] = OPERATOR_SIZES[0]
    ) -> Letter:
        """Return an event as one letter, with so many owners, and so many characters of each explanation, at most."""
        owners, characters = size
        zone = ZoneInfo(self.zone)
        content = Content("operator", self.languages, zone, lambda viewer: viewer.operator(notice, owners, characters))
        return self._letter(content, sha256(key.encode()).hexdigest(), to)

    def _letter(self, content: Content, key: str, to: str) -> Letter:
        subjects = (self._render(content, language, TEXT, f"{SUBJECT}.txt") for language in content.languages)
        subject = shorten(clean(" / ".join(subjects)), LONGEST_SUBJECT)
        return Letter(
            key=key,
            subject=subject,
            text=TEXT_RULE.join(self._bodies(content, TEXT)),
            html=self._page(content, subject),
            markdown=MARKDOWN_RULE.join(self._bodies(content, MARKDOWN)),
            to=to,
        )

    def _page(self, content: Content, subject: str) -> str:
        languages = [language.value for language in content.languages]
        bodies = [Body(*each) for each in zip(languages, map(Markup, self._bodies(content, HTML)), strict=True)]
        return self.templates.render("layout.html", HTML, {"language": languages[0], "subject": subject, "bodies": bodies})

    def _bodies(self, content: Content, form: Form) -> list[str]:
        return [self._render(content, language, form, form.suffix) for language in content.languages]

    def _render(self, content: Content, language: Language, form: Form, ending: str) -> str:
        view = content.view(Viewer(form, language, content.zone))
        return self.templates.render(f"{language.value}/{content.kind}.{ending}", form, variables(view))
