"""Two targets that cover the same notebooks are a mistake: each would delete them, by brakes of its own.

What is looked up, and what only the cloud knows, is found when a sweep begins; see `engine/target_identity`.
"""

from collections.abc import Iterator

from pydantic import ValidationError, ValidatorFunctionWrapHandler
from pydantic_core import InitErrorDetails, PydanticCustomError

from nbsweep.core.identity import is_same_place
from nbsweep.settings.credentials import CredentialSettings
from nbsweep.settings.targets import TargetSettings


def check_overlaps(value: object, handler: ValidatorFunctionWrapHandler) -> object:
    """Refuse a target that covers some of what another one before it covers."""
    targets: tuple[TargetSettings, ...] = handler(value)
    if mistakes := list(_overlaps(targets)):
        raise ValidationError.from_exception_data("targets", mistakes, hide_input=True)
    return targets


def _overlaps(targets: tuple[TargetSettings, ...]) -> Iterator[InitErrorDetails]:
    """Yield a mistake for each target that overlaps with one before it; only the first such one is named."""
    for place, other in enumerate(targets):
        first = next((number for number, one in enumerate(targets[:place]) if _are_one(one, other)), None)
        if first is not None:
            message = (
                f"covers some of the notebooks of target {targets[first].name}, number {first + 1} of this list: the project "
                "is the same, and each would delete them by brakes of its own. Leave one out, or give them other workspaces or "
                "features"
            )
            problem = PydanticCustomError("overlap", "{message}", {"message": message})
            yield InitErrorDetails(type=problem, loc=(place,), input=None)


def _are_one(one: TargetSettings, other: TargetSettings) -> bool:
    mine, theirs = one.identity, other.identity
    if not is_same_place(mine.endpoint, theirs.endpoint) or not mine.overlaps(theirs):
        return False
    same_caller = _is_same_caller(one.credentials, other.credentials)
    if one.scope == other.scope == "own" and not same_caller:
        return False
    if one.project_id is None and other.project_id is None:
        return same_caller and (one.region, one.iam_url) == (other.region, other.iam_url)
    return one.project_id == other.project_id


def _is_same_caller(one: CredentialSettings | None, other: CredentialSettings | None) -> bool:
    """Return whether two targets are known to have the same caller. Only the cloud knows the user of a key."""
    if one is None or other is None:
        return one is other
    keys = one.access_key is not None and one.access_key == other.access_key
    user = one.username is not None and (one.username, one.domain) == (other.username, other.domain)
    return keys or user or (one.agency is not None and one.agency == other.agency)
