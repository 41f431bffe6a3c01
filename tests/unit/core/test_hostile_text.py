"""Text of other people, of any length: what is done with it takes time in proportion to its length."""

import pytest

from nbsweep.core.matching.globs import Glob, find_differences, skeleton
from nbsweep.core.planning.cool_down import PARTICULAR
from nbsweep.core.redaction import redact, redact_named

LENGTH = 300_000
"""What takes the square of it takes hours, so that the test ends for no other reason than that nothing does."""
HOSTILE = [
    "a.",
    "a-",
    "A+",
    "token",
    "access-",
    "token ",
    "token:[(",
    "://a",
    "a://",
    '"token" ',
    "0123456789abcdef-",
    "*",
    "e\u0301",
    " ",
]


@pytest.mark.parametrize("repeated", HOSTILE)
@pytest.mark.parametrize("before", ["", "token://"])
def test_masking_ends_whatever_the_name(before: str, repeated: str) -> None:
    """Names of dots, of the words for secrets, of beginnings of addresses, without end; the secret at their end is masked."""
    text = before + repeated * (LENGTH // len(repeated))
    for shown in (redact_named(f"{text} password=hunter2"), redact(f"{text} password=hunter2")):
        assert "hunter2" not in shown
    PARTICULAR.sub("...", text)


@pytest.mark.parametrize("repeated", HOSTILE)
@pytest.mark.parametrize("glob", ["*a*a*a*a*b", "*[ab]*?*[!ab]*\u0107", "keep-*", "?*?*?*."])
def test_a_glob_ends_whatever_the_name(glob: str, repeated: str) -> None:
    """However many stars it has, and however much of the name each of them might take."""
    text = repeated * (LENGTH // len(repeated))
    Glob(glob, ignore_case=True).matches(text)
    Glob(glob, ignore_case=True).resembles(text)
    assert len(str(find_differences(text, glob))) < 1000
    skeleton(text)


def test_what_names_a_secret_is_masked_as_before() -> None:
    """With or without a prefix, in quotes, after a scheme, and in a list."""
    shown = redact_named(
        'X-Auth-Token: abc, "secret_key": "def", my-access-key=ghi|Authorization: Bearer jkl; see https://x.test/y?z'
    )
    assert shown == 'X-Auth-Token: ***, "secret_key": "***", my-access-key=***|Authorization: *** see https://***'
