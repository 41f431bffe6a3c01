"""The result of `check` as a document."""

from collections import Counter
from collections.abc import Sequence

from nbsweep.core.checks import Check, Grade
from nbsweep.documents.plans_and_runs import Document


def check_document(checks: Sequence[Check]) -> Document:
    """Return the document of all checks; the keys are part of the contract."""
    return {
        "well": not any(check.grade is Grade.FAILED for check in checks),
        "counts": dict(Counter(check.grade.value for check in checks)),
        "checks": [
            {
                "name": str(check.name),
                "target": check.target,
                "status": check.grade.value,
                "finding": check.finding,
                "advice": check.advice or None,
            }
            for check in checks
        ],
    }
