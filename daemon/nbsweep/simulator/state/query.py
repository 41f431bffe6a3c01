"""The parameters of a listing, read and checked; ModelArts API, section 1.1."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nbsweep.simulator.options import DialectOptions
from nbsweep.simulator.refusals import bad_parameter, sort_refused
from nbsweep.simulator.state.model import Instance
from nbsweep.simulator.vocabulary import FEATURES, STATUSES

Condition = Callable[[Instance], bool]

_PAGE_SIZES = frozenset({10, 20, 50})
_LARGEST_PAGE = 1000
_IPV4 = re.compile(r"(\d{1,3}\.){3}\d{1,3}")
_POOL_ID = re.compile(r"[a-z0-9-]{4,64}")
_USER_ID = re.compile(r"[0-9a-f]{32}")

#: Filters by equality: parameter to the values allowed; the row's own value is compared.
_EXACT: dict[str, Callable[[str], bool]] = {
    "status": STATUSES.__contains__,
    "pool_id": lambda text: bool(_POOL_ID.fullmatch(text)),
    "owner": lambda text: bool(_USER_ID.fullmatch(text)),
    "image_id": bool,
    "id": bool,
    "ip": lambda text: bool(_IPV4.fullmatch(text)),
}
#: Fuzzy filters: parameter to its greatest length.
_FUZZY = {"name": 128, "pool_name": 64, "flavor": 256, "swr_path": 2048, "description": 512, "username": 256}

_VALUES: dict[str, Callable[[Instance], str]] = {
    "status": lambda instance: instance.shown_status,
    "pool_id": lambda instance: (instance.pool or {}).get("id", ""),
    "pool_name": lambda instance: (instance.pool or {}).get("name", ""),
    "owner": lambda instance: instance.owner.id,
    "image_id": lambda instance: instance.image.get("id", ""),
    "id": lambda instance: instance.id,
    "ip": lambda instance: instance.ip,
    "name": lambda instance: instance.name,
    "flavor": lambda instance: instance.flavor,
    "swr_path": lambda instance: instance.image.get("swr_path", ""),
    "description": lambda instance: instance.description,
    "username": lambda instance: instance.owner.name,
}


@dataclass(frozen=True)
class Query:
    """The parameters of one page of a listing."""

    #: More than one where the parameter is not known.
    features: tuple[str, ...]
    workspace_id: str
    limit: int
    offset: int
    sort_keys: tuple[str, ...]
    descending: bool
    #: All must hold.
    conditions: tuple[Condition, ...]


def read_query(parameters: Mapping[str, str], dialect: DialectOptions, *, may_name_owner: bool) -> Query:
    """Read a query; `owner` is effective for administrators only, and unknown parameters are ignored."""
    feature = parameters.get("feature", "NOTEBOOK")
    if feature not in FEATURES:
        raise bad_parameter("feature")
    direction = parameters.get("sort_dir", "DESC")
    if direction not in {"ASC", "DESC"}:
        raise bad_parameter("sort_dir")
    limit = min(_limit(parameters.get("limit", "10"), dialect), dialect.largest_page)
    ignored = set() if may_name_owner else {"owner"}
    return Query(
        features=(feature,) if dialect.feature_parameter else tuple(FEATURES),
        workspace_id=parameters.get(dialect.workspace_parameter, "0"),
        limit=limit,
        offset=_first_row(whole_number("offset", parameters.get("offset", "0")), limit, dialect),
        sort_keys=_sort_keys(parameters.get("sort_key"), dialect),
        descending=direction == "DESC",
        conditions=tuple(_conditions({name: text for name, text in parameters.items() if name not in ignored})),
    )


def whole_number(name: str, text: str) -> int:
    """Read a number that is not negative."""
    if not (text.isascii() and text.isdigit()):
        raise bad_parameter(name)
    return int(text)


def _limit(text: str, dialect: DialectOptions) -> int:
    limit = whole_number("limit", text)
    allowed = limit in _PAGE_SIZES if dialect.strict_limit else 1 <= limit <= _LARGEST_PAGE
    if not allowed:
        raise bad_parameter("limit")
    return limit


def _first_row(offset: int, limit: int, dialect: DialectOptions) -> int:
    """Return the first row of a page, by this dialect's meaning of an offset."""
    match dialect.offset_as:
        case "rounded":
            return offset // limit * limit
        case "page-number":
            return offset * limit
        case "page-number-from-1":
            return max(offset - 1, 0) * limit
        case "multiples-only" if offset % limit:
            raise bad_parameter("offset")
        case _:
            return offset


def _sort_keys(text: str | None, dialect: DialectOptions) -> tuple[str, ...]:
    if text is None:
        # The cloud's own order, whichever keys callers may name.
        return ("create_at",)
    keys = tuple(text.split(","))
    if unknown := [key for key in keys if key not in dialect.sort_keys]:
        raise sort_refused(dialect, unknown[0])
    return keys


def _conditions(parameters: Mapping[str, str]) -> list[Condition]:
    conditions = []
    for name, text in parameters.items():
        if name in _EXACT:
            conditions.append(_equals(name, text))
        elif name in _FUZZY:
            conditions.append(_contains(name, text))
        elif name == "billing":
            conditions.append(_billed(text))
        elif name == "tags":
            conditions.append(_tagged(text))
    return conditions


def _equals(name: str, text: str) -> Condition:
    if not _EXACT[name](text):
        raise bad_parameter(name)
    value = _VALUES[name]
    return lambda instance: value(instance) == text


def _contains(name: str, text: str) -> Condition:
    if not 0 < len(text) <= _FUZZY[name] or (name == "description" and set(text) & set("<>")):
        raise bad_parameter(name)
    value = _VALUES[name]
    return lambda instance: text in value(instance)


def _billed(text: str) -> Condition:
    wanted = {"COMPUTE": {"COMPUTE"}, "STORAGE": {"STORAGE"}, "ALL": {"COMPUTE", "STORAGE"}}.get(text)
    if wanted is None:
        raise bad_parameter("billing")
    return lambda instance: wanted <= set(instance.billing_items)


def _tagged(text: str) -> Condition:
    pairs = [pair.partition("|") for pair in text.split(",")]
    if any(not key or not value or "|" in value for key, _, value in pairs):
        raise bad_parameter("tags")
    return lambda instance: all(instance.tags.get(key) == value for key, _, value in pairs)
