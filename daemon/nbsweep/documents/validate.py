"""The JSON document of `validate`."""

from collections.abc import Sequence

from nbsweep.core.errors import Mistake
from nbsweep.documents.base import Document


class MistakeDocument(Document, frozen=True):
    """One mistake in the configuration."""

    path: str
    line: int | None
    problem: str


class ValidationDocument(Document, frozen=True):
    """The result of `validate`."""

    source: str
    valid: bool
    mistakes: Sequence[MistakeDocument]


def validation_document(source: str, mistakes: Sequence[Mistake]) -> ValidationDocument:
    """Return the document of a configuration that was read."""
    return ValidationDocument(
        source, not mistakes, [MistakeDocument(mistake.path, mistake.line, mistake.problem) for mistake in mistakes]
    )
