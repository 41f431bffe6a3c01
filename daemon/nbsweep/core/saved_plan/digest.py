"""A digest of a JSON document that does not depend on its formatting."""

import hashlib
import json
from collections.abc import Mapping

DIGEST = "digest"
"""The key of a document that holds the digest of all other keys."""


def digest_of(value: object) -> str:
    """Return `sha256:` and the digest of a JSON value in its canonical form: keys sorted, no white space, ASCII only.

    Raises:
        TypeError, ValueError: the value is not a JSON value.
    """
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return f"sha256:{hashlib.sha256(canonical.encode('ascii')).hexdigest()}"


def sealed(document: Mapping[str, object]) -> dict[str, object]:
    """Return a document with its digest added."""
    return {**document, DIGEST: digest_of(dict(document))}


def is_unaltered(document: Mapping[str, object]) -> bool:
    """Return whether a document still matches its digest."""
    rest = {key: value for key, value in document.items() if key != DIGEST}
    return document.get(DIGEST) == digest_of(rest)
