"""The parts that all JSON documents share: the base class, the types of fields, lazy lists, times and IDs."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from secrets import token_hex
from typing import Annotated, Any, TypeVar, overload

from msgspec import UNSET, Meta, Struct
from msgspec.structs import fields

Row = TypeVar("Row")
Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
Count = Annotated[int, Meta(ge=0)]
Counts = Mapping[str, Count]
LazyRows = Callable[[], Iterator[Row]]


class Document(Struct, frozen=True, forbid_unknown_fields=True):
    """A JSON object. Its keys, and their order, are part of the contract."""


class Series(Collection[Row]):
    """A lazy list of documents: a large sweep has tens of thousands, so each is built when it is written."""

    def __init__(self, begin: LazyRows[Row]) -> None:
        """Take the function that returns a new iterator over the documents."""
        self._begin = begin

    def __iter__(self) -> Iterator[Row]:
        return self._begin()

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, row: object) -> bool:
        return any(each == row for each in self)


def members(document: Document) -> Iterator[tuple[str, object]]:
    """Return the keys and values of a document that are written."""
    for field in fields(document):
        value = getattr(document, field.name)
        if value is not UNSET:
            yield field.encode_name, value


def new_id(now: datetime) -> str:
    """Return a new ID for a run or a plan. IDs sort by time."""
    return f"{now:%Y%m%dT%H%M%SZ}-{token_hex(3)}"


@overload
def moment_text(moment: datetime) -> str: ...
@overload
def moment_text(moment: datetime | None) -> str | None: ...
def moment_text(moment: datetime | None) -> str | None:
    """Return a time in the format of all documents."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


def add_counts(counts: Iterable[Mapping[Any, int]]) -> dict[str, int]:
    """Return the sums of the counts by name, the largest first."""
    total: Counter[str] = Counter()
    for count in counts:
        total.update({str(key): value for key, value in count.items()})
    return dict(sorted(total.items(), key=lambda pair: (-pair[1], pair[0])))
