"""The JSON document of `check`."""

from collections import Counter
from collections.abc import Sequence

from nbsweep.core.checks import Check, Grade
from nbsweep.documents.base import Counts, Document


class CheckDocument(Document, frozen=True):
    """The result of one check."""

    name: str
    target: str | None
    status: Grade
    finding: str
    advice: str | None


class ChecksDocument(Document, frozen=True):
    """The results of all checks."""

    well: bool
    counts: Counts
    checks: Sequence[CheckDocument]


def check_document(checks: Sequence[Check]) -> ChecksDocument:
    """Return the document of all checks."""
    return ChecksDocument(
        well=not any(check.grade is Grade.FAILED for check in checks),
        counts=Counter(check.grade.value for check in checks),
        checks=[
            CheckDocument(str(check.name), check.target, check.grade, check.finding, check.advice or None) for check in checks
        ],
    )
