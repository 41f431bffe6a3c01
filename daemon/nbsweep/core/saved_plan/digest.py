"""A digest over a document, the same for every way of writing it down."""

import hashlib
import json
from collections.abc import Mapping

DIGEST = "digest"
"""The key of a document that holds the digest over all the others."""


def digest_of(value: object) -> str:
    """Return `sha256:` and the digest of a JSON value in its canonical form: keys sorted, no blanks, nothing but ASCII.

    Raises:
        TypeError, ValueError: it is no JSON value.
    """
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return f"sha256:{hashlib.sha256(canonical.encode('ascii')).hexdigest()}"


def sealed(document: Mapping[str, object]) -> dict[str, object]:
    """Return a document with the digest over everything else in it."""
    return {**document, DIGEST: digest_of(dict(document))}


def is_unaltered(document: Mapping[str, object]) -> bool:
    """Return whether a document is as it was when it was sealed."""
    rest = {key: value for key, value in document.items() if key != DIGEST}
    return document.get(DIGEST) == digest_of(rest)
