"""How a cloud reads the parameters of a listing, where the API documents leave that open."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

Refusal = tuple[int, str]

NO_LISTING: tuple[Refusal, ...] = (
    (400, "ModelArts.6309"),
    (400, "ModelArts.6404"),
    (400, "ModelArts.6400"),
    (404, "APIGW.0101"),
    (404, ""),
    (405, ""),
)
NO_KEY: tuple[Refusal, ...] = (
    (400, "ModelArts.6303"),
    (400, "ModelArts.0104"),
    (400, "ModelArts.6400"),
    (500, "ModelArts.0010"),
)
CLOSED: tuple[Refusal, ...] = ((403, "ModelArts.0112"), (400, "ModelArts.7002"))


@dataclass(frozen=True, slots=True)
class Dialect:
    """The dialect of one cloud."""

    offset_as: str = "row"
    """row, rounded, page-number or multiples-only."""
    largest_page: int = 50
    no_list_all: Refusal | None = None
    """The refusal of the listing of all users, if there is no such listing."""
    sort_keys: tuple[str, ...] = ("create_at", "createTime")
    sort_refusal: Refusal = NO_KEY[0]
    closed: tuple[str, ...] = ()
    """Workspaces that are shown, but cannot be listed."""
    closed_answer: Refusal = CLOSED[0]

    def refusal(self, query: Mapping[str, str], *, everybodys: bool) -> Refusal | None:
        """Return the refusal of a listing, or None."""
        offset, size = int(query.get("offset", "0")), self._size(query)
        refusals = (
            (everybodys, self.no_list_all),
            (query.get("sort_key") not in (None, *self.sort_keys), self.sort_refusal),
            (query.get("workspace_id", "0") in self.closed, self.closed_answer),
            (self.offset_as == "multiples-only" and offset % size, (400, "ModelArts.0104")),
        )
        return next((refusal for holds, refusal in refusals if holds and refusal), None)

    def rows(self, query: Mapping[str, str]) -> slice:
        """Return the slice of the rows on the page."""
        offset, size = int(query.get("offset", "0")), self._size(query)
        first = {"rounded": offset // size * size, "page-number": offset * size}.get(self.offset_as, offset)
        return slice(first, first + size)

    def _size(self, query: Mapping[str, str]) -> int:
        return min(int(query.get("limit", "10")), self.largest_page)


PLAIN = Dialect()


def draw_dialect(random: Random, workspaces: tuple[str, ...]) -> Dialect:
    """Draw a dialect; most clouds follow the documents."""
    if random.random() < 0.65:
        return PLAIN
    return Dialect(
        offset_as=random.choice(("row", "rounded", "page-number", "multiples-only")),
        largest_page=random.choice((50, 20, 10, 7)),
        no_list_all=random.choice(NO_LISTING) if random.random() < 0.2 else None,
        sort_keys=random.choice((("create_at",), ("create_at",), ("create_at",), ("createTime",), ())),
        sort_refusal=random.choice(NO_KEY),
        closed=workspaces[1:] if random.random() < 0.6 else (),
        closed_answer=random.choice(CLOSED),
    )
