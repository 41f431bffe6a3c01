"""A saved plan as a document: sealed with a digest on the way out, and read strictly on the way in.

An altered plan, a plan of a newer version and a file that is not a plan get different errors; none of them is used.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from nbsweep.core.errors import ConfigurationError, Mistake
from nbsweep.core.saved_plan.digest import DIGEST, is_unaltered, sealed
from nbsweep.core.saved_plan.model import SavedPlan
from nbsweep.core.saved_plan.validate import ANEW

DOCUMENT = "nbsweep-plan"
VERSION = 1
DECIDE_ELSEWHERE = "To keep a notebook, use `protect` in the configuration, or a tag that it protects"


def plan_to_document(plan: SavedPlan) -> dict[str, Any]:
    """Convert a plan to JSON values. The last value is the digest of all others."""
    return sealed({"document": DOCUMENT, "version": VERSION, **_values(plan)})


def _values(plan: SavedPlan) -> dict[str, Any]:
    """Convert a plan to JSON values only: a tuple would not equal the list that JSON gives back."""
    values: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(plan))
    return values


def plan_from_text(text: bytes, source: str) -> SavedPlan:
    """Read a plan from the JSON of its document.

    Raises:
        ConfigurationError: the text is not a plan, has an unsupported version, or was altered after it was saved.
    """
    document = _json(text, source)
    if not isinstance(document, dict) or document.get("document") != DOCUMENT:
        raise _refusal(source, "document", f"it is not a saved plan: {ANEW}; the output of `plan --format json` is not one")
    version = document.get("version")
    if version != VERSION or isinstance(version, bool):
        raise _refusal(
            source, "version", f"it is {version!r}, and this nbsweep reads {VERSION}: use the version that saved it, or {ANEW}"
        )
    if not is_unaltered(document):
        problem = f"it does not match: the plan was altered after it was saved. {DECIDE_ELSEWHERE}; then {ANEW}"
        raise _refusal(source, DIGEST, problem)
    return _plan(document, source)


def _json(text: bytes, source: str) -> object:
    try:
        document: object = json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _refusal(source, "", f"it is not JSON ({error}); {ANEW}") from None
    return document


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Reject repeated keys: a reader sees the first value, and a JSON parser uses the last."""
    repeated = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    if repeated:
        raise ValueError(f"the key {repeated[0]!r} is repeated")
    return dict(pairs)


def _no_number(text: str) -> object:
    raise ValueError(f"{text} is not a number")


def _plan(document: Mapping[str, Any], source: str) -> SavedPlan:
    values = {key: value for key, value in document.items() if key not in ("document", "version", DIGEST)}
    try:
        plan = msgspec.convert(values, SavedPlan)
    except msgspec.ValidationError as error:
        raise _refusal(source, "", f"its content is not a plan: {error}; {ANEW}") from None
    if _values(plan) != values:
        raise _refusal(
            source, "", f"it has keys that this version of nbsweep does not know: use the version that saved it, or {ANEW}"
        )
    mistakes = tuple(_inner_mistakes(plan))
    if mistakes:
        raise ConfigurationError(source, mistakes)
    return plan


def _inner_mistakes(plan: SavedPlan) -> Iterable[Mistake]:
    """Return mistakes that no saved plan has: a repeated entry, or a time without a time zone."""
    if plan.created_at.tzinfo is None or plan.expires_at.tzinfo is None:
        yield Mistake("expires_at", None, f"a time must have a time zone: {ANEW}")
    for name in _repeated(target.target for target in plan.targets):
        yield Mistake("targets", None, f"target {name} is repeated: {ANEW}")
    for place, target in enumerate(plan.targets):
        for notebook_id in _repeated(item.id for item in target.items):
            yield Mistake(f"targets[{place}].items", None, f"notebook {notebook_id} is repeated: {ANEW}")


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _refusal(source: str, path: str, problem: str) -> ConfigurationError:
    return ConfigurationError(source, (Mistake(path, None, problem),))
