"""The JSON document of `validate`."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import Meta

from nbsweep.core.doubts import Doubt, DoubtKind
from nbsweep.core.errors import Mistake
from nbsweep.documents.base import Document


class MistakeDocument(Document, frozen=True):
    """One mistake in the configuration."""

    path: str
    line: int | None
    problem: str


class DoubtDocument(Document, frozen=True):
    """One rule or target that is probably not meant as it is written."""

    kind: DoubtKind
    path: Annotated[str, Meta(description="The place in the file, such as `policies[0]`.")]
    line: int | None
    name: Annotated[str, Meta(description="The name of the policy, protection or target.")]
    problem: str


class ValidationDocument(Document, frozen=True):
    """The result of `validate`."""

    source: str
    valid: Annotated[bool, Meta(description="Whether there is no mistake; doubts do not count.")]
    mistakes: Sequence[MistakeDocument]
    doubts: Sequence[DoubtDocument]


def validation_document(
    source: str, mistakes: Sequence[Mistake], doubts: Sequence[Doubt], lines: Mapping[str, int]
) -> ValidationDocument:
    """Return the document of a configuration that was read; `lines` are those of the places in the file."""
    return ValidationDocument(
        source,
        not mistakes,
        [MistakeDocument(mistake.path, mistake.line, mistake.problem) for mistake in mistakes],
        [DoubtDocument(doubt.kind, doubt.place, lines.get(doubt.place), doubt.name, doubt.sentence) for doubt in doubts],
    )
