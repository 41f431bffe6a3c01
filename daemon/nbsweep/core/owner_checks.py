"""The results of `check` about owners: whether they can be found, and whether IAM may be asked for them. Pure.

No finding names an owner or holds an address.
"""

from collections.abc import Mapping, Sequence

from nbsweep.core.checks import Check, Grade, failed, not_tried, passed, warned
from nbsweep.core.errors import CloudError, Forbidden
from nbsweep.core.notices.contacts import Contact, NoContact
from nbsweep.core.permissions import GET_USER

GET_USER_CHECK = "get-user"
OWNERS_CHECK = "owners"
FILE_CHECK = "owners-file"
FALLBACK_CHECK = "owners-fallback"
NO_OWNER = "no notebook is listed, so there is no owner to look for"
SHOWN_REASONS = 3
SHOWN_MISTAKES = 20


def judge_users(answers: Sequence[CloudError | None]) -> Check:
    """Check whether IAM shows users, by its answers about different owners; None is an answer without an error."""
    if not answers:
        return not_tried(GET_USER_CHECK, NO_OWNER)
    error = next((answer for answer in answers if answer is not None), None)
    if isinstance(error, Forbidden):
        advice = (
            f"Grant {GET_USER.role} to this user for global services, in a policy of its own and not in a project: role "
            f"policies (version 1.1) and identity policies (version 5.0) both use this name. Or {GET_USER.otherwise}."
        )
        return failed(GET_USER_CHECK, Forbidden(f"not allowed: {error.answer or error.problem}"), advice)
    if error is not None:
        return failed(GET_USER_CHECK, error)
    if len(answers) == 1:
        return passed(GET_USER_CHECK, "allowed for the only owner that is seen, which shows nothing if that is this user")
    return passed(GET_USER_CHECK, f"allowed ({GET_USER.role})")


def judge_owners(found: Sequence[Contact | NoContact]) -> Check:
    """Check how many of the owners that were seen can be found, and by which part of `owners`."""
    if not found:
        return not_tried(OWNERS_CHECK, NO_OWNER)
    sources = _most_frequent([each.source for each in found if isinstance(each, Contact)])
    reasons = _most_frequent([each.why for each in found if isinstance(each, NoContact)])
    by_part = f": {', '.join(f'{source} {count}' for source, count in sources.items())}" if sources else ""
    if not reasons:
        return passed(OWNERS_CHECK, f"{len(found)} of {len(found)} owners that were seen can be found{by_part}")
    shown = "; ".join(f"{count} because of {why}" for why, count in list(reasons.items())[:SHOWN_REASONS])
    finding = f"{sum(sources.values())} of {len(found)} owners that were seen can be found{by_part}; not found: {shown}"
    advice = (
        "Name the others in the owners' file, or give their notebooks the tag. Without that they are not told, and "
        "unless_told of the policy says what becomes of their notebooks."
    )
    return warned(OWNERS_CHECK, finding, advice)


def _most_frequent(texts: Sequence[str]) -> Mapping[str, int]:
    counts = {text: texts.count(text) for text in dict.fromkeys(texts)}
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def judge_file(path: str, entries: int, mistakes: Sequence[str]) -> Check:
    """Check the owners' file."""
    counted = f"{path}: {entries} owner{'' if entries == 1 else 's'}"
    if not mistakes:
        return passed(FILE_CHECK, counted)
    more = f"; and {len(mistakes) - SHOWN_MISTAKES} more" if len(mistakes) > SHOWN_MISTAKES else ""
    advice = (
        "Correct it: an owner whom the file does not name correctly is not told, and the other parts of owners are not asked."
    )
    return Check(FILE_CHECK, Grade.FAILED, f"{counted}; {'; '.join(mistakes[:SHOWN_MISTAKES])}{more}", advice)


def judge_fallback(found: Contact | NoContact) -> Check:
    """Check whether the fallback can be found."""
    if isinstance(found, Contact):
        return passed(FALLBACK_CHECK, f"found{f', by the channel {found.channel}' if found.channel else ''}")
    advice = "Give the fallback as a mail address, as the name of a channel, or as an owner of the file."
    return Check(FALLBACK_CHECK, Grade.FAILED, found.why, advice)
