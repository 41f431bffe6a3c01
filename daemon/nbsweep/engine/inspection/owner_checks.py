"""Checks whether the owners of the notebooks that a listing begins with can be found, and whether IAM may be asked for them."""

from collections.abc import Awaitable, Callable, Sequence
from itertools import islice

from nbsweep.core.checks import Check
from nbsweep.core.errors import CloudError
from nbsweep.core.model import Notebook, Page
from nbsweep.core.notices.contacts import Owner, OwnerDirectory, UserLookup
from nbsweep.core.owner_checks import judge_owners, judge_users

MOST_OWNERS = 20
"""Number of owners that are looked for: enough for a check."""
MOST_USERS = 3
"""Number of owners that IAM is asked for. Everybody may read themselves, so one answer alone shows nothing."""


def owners_of(pages: Sequence[Page], target: str) -> list[Owner]:
    """Return the first different owners of pages, with the tags of one of their notebooks."""
    owners: dict[str, Owner] = {}
    for row in (row for page in pages for row in page.rows if isinstance(row, Notebook)):
        if row.owner.id or row.owner.name:
            owners.setdefault(row.owner_key, Owner(row.owner.id or "", row.owner.name or "", row.tags or {}, target))
    return list(islice(owners.values(), MOST_OWNERS))


async def check_users(
    owners: Sequence[Owner], ask: Callable[[Awaitable[object]], Awaitable[object]], user: UserLookup
) -> Check:
    """Ask IAM for some owners; `ask` bounds the time of a call."""
    answers: list[CloudError | None] = []
    for owner in [owner for owner in owners if owner.id][:MOST_USERS]:
        try:
            await ask(user(owner.id))
        except CloudError as error:
            answers.append(error)
            break
        answers.append(None)
    return judge_users(answers)


async def check_owners(owners: Sequence[Owner], directory: OwnerDirectory) -> Check:
    """Look for the owners."""
    return judge_owners([await directory.find(owner) for owner in owners])
