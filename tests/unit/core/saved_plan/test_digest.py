import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import searching
from nbsweep.core.saved_plan.digest import digest_of, is_unaltered, sealed

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.text(max_size=5).filter(lambda key: key != "digest"), JSON, max_size=4)


def test_the_digest_is_the_sha256_of_the_canonical_form() -> None:
    r"""Worked out with `printf '{"a":[1,"\\u00e9"],"b":null}' | sha256sum`."""
    expected = "sha256:e6ad993c7a569e941cdd65aa57c817cb74d20d9877b15dfc8cc0ac151c74785d"
    assert digest_of({"b": None, "a": [1, "é"]}) == expected


@searching
@given(document=DOCUMENTS)
def test_a_sealed_document_is_unaltered_however_it_is_written(document: dict[str, object]) -> None:
    """In another order of its keys, and with other blanks."""
    turned = dict(reversed(sealed(document).items()))
    assert is_unaltered(json.loads(json.dumps(turned, indent=3)))


@searching
@given(before=DOCUMENTS, after=DOCUMENTS)
def test_another_document_does_not_fit_the_digest(before: dict[str, object], after: dict[str, object]) -> None:
    """Whatever has become of it; numbers that are equal and not the same (1, true) count as different."""
    digest = sealed(before)["digest"]
    assert is_unaltered({**after, "digest": digest}) == (
        json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)
    )


@pytest.mark.parametrize("digest", [None, "", "sha256:", 7])
def test_without_a_digest_it_is_not_unaltered(digest: object) -> None:
    """Taking the digest away, or emptying it, is no way round it."""
    assert not is_unaltered({"a": 1})
    assert not is_unaltered({"a": 1, "digest": digest})


def test_what_is_no_json_has_no_digest() -> None:
    """A number that is none would be written in a way that nobody else reads."""
    with pytest.raises(ValueError, match="JSON"):
        digest_of(float("nan"))
