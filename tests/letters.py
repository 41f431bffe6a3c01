"""What the tests of messages share: a channel that only measures, and lines of a digest."""

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.adapters.messages.environment import make_templates
from nbsweep.adapters.messages.renderer import Renderer
from nbsweep.core.model import Status
from nbsweep.core.notices.channel import Acceptance, Letter, Receipt
from nbsweep.core.notices.digest import Audience, Digest, Line
from nbsweep.core.notices.outbox import ItemKind
from nbsweep.core.pacing import Rate
from nbsweep.core.reasons.language import Language

EXPECTED = Path(__file__).parent / "unit" / "adapters" / "messages" / "expected"
FOUND = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
RENDERER = Renderer(make_templates({}), (Language.ENGLISH,), "Asia/Shanghai")

LINE = Line(
    item_id="item-1",
    kind=ItemKind.ANNOUNCE,
    name="exp-1",
    notebook_id="6f1d2c1e",
    owner="alice",
    target="research",
    workspace="0",
    status=Status.STOPPED,
    capacity_gb=50,
    policy="idle",
    reason="policy idle: status STOPPED, idle 21d 4h (14d)",
    cause="",
    marked_at=FOUND,
    deadline=FOUND + timedelta(days=7),
    remedies=("use it again", "give it the tag keep"),
    keep_url="https://nbsweep.example.com/keep/abc",
    keep_until=FOUND + timedelta(days=37),
)


def line(number: int, kind: ItemKind = ItemKind.ANNOUNCE, **changes: Any) -> Line:
    """Return a line of a kind, with the moments that it has."""
    ended = kind in {ItemKind.CLEARED, ItemKind.DELETED}
    moments = {"deadline": None, "ended_at": FOUND + timedelta(hours=1)} if ended else {}
    return replace(LINE, item_id=f"item-{number}", kind=kind, **{**moments, **changes})


def digest(*lines: Line, audience: Audience = Audience.OWNER, languages: tuple[Language, ...] = (Language.ENGLISH,)) -> Digest:
    """Return a digest for alice, in the zone of Shanghai."""
    recipient = "alice" if audience is Audience.OWNER else ""
    return Digest("key-1", audience, recipient, languages, "Asia/Shanghai", lines)


class Scales(Struct, frozen=True):
    """A channel that weighs letters, and sends none."""

    limit_bytes: int
    name: str = "scales"
    addressed: bool = True
    trust_unproven: bool = False

    @property
    def rate(self) -> Rate:
        """Any."""
        return Rate(1, 1.0)

    def size_bytes(self, letter: Letter) -> int:
        """Return the bytes of the subject and of all forms."""
        return sum(len(text.encode()) for text in (letter.subject, letter.text, letter.html, letter.markdown))

    async def send(self, letter: Letter) -> Receipt:
        """Refuse."""
        return Receipt(Acceptance.REFUSED, letter.subject)


class Tree(HTMLParser):
    """Collects the elements of a document with their attributes, and its texts."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, ...]] = []
        self.texts: list[str] = []
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, *(f"{key}={value}" for key, value in attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.elements.append((f"/{tag}",))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.elements.append(("comment", data))

    def handle_decl(self, decl: str) -> None:
        self.elements.append(("declaration", decl))

    def unknown_decl(self, data: str) -> None:
        self.elements.append(("declaration", data))

    def handle_pi(self, data: str) -> None:
        self.elements.append(("instruction", data))
