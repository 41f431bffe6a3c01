import pytest

from nbsweep.core.lookup import NotebookRef, describe_candidates, did_you_mean, find_notebooks, is_whole_id, short_ids, suggest

FLEET = (
    NotebookRef("lab", "abcd1234", "train"),
    NotebookRef("lab", "abcd9876", "TRAIN"),
    NotebookRef("lab", "train-01", "other"),
    NotebookRef("lab", "other", None),
)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("abcd1234", ["abcd1234"]),
        ("abcd", ["abcd1234", "abcd9876"]),
        ("abcd1", ["abcd1234"]),
        ("train", ["abcd1234", "abcd9876"]),
        ("Train", ["abcd1234", "abcd9876"]),
        ("train-", ["train-01"]),
        ("other", ["other"]),
        ("ABCD", []),
        ("", []),
        (" ", []),
        ("bcd", []),
    ],
)
def test_an_id_comes_before_a_name_and_a_name_before_the_beginning_of_an_id(text: str, ids: list[str]) -> None:
    """Names are compared without regard to case, ids are not; nothing fits a blank."""
    assert [each.id for each in find_notebooks(text, FLEET)] == ids


def test_candidates_are_listed_but_not_without_end() -> None:
    """Ten of them, and how many more there are."""
    two = (NotebookRef("lab", "abcd1234", "train", "alice"), NotebookRef("lab", "abcd9876"))
    assert describe_candidates("abcd", two) == (
        "abcd is ambiguous, 2 fit: abcd1234 (train of alice, on lab); abcd9876 (without a name, on lab)"
    )
    assert describe_candidates("x", [f"x{number}" for number in range(12)]).endswith("; x9; and 2 more")


def test_a_similar_name_is_asked_for_or_all_are_listed() -> None:
    """One letter too few is similar."""
    assert did_you_mean("idl", ["idle", "ancient"]) == "did you mean idle?"
    assert did_you_mean("xyz", ["idle", "ancient"]) == "known: ancient, idle"
    assert did_you_mean("xyz", []) == "known: none"


@pytest.mark.parametrize(
    ("ids", "short"),
    [
        (["0123456789abcdef", "fedcba9876543210"], ["01234567", "fedcba98"]),
        # Ten characters in common, so eleven are needed for all.
        (["0123456789abcdef", "0123456789bbcdef", "f"], ["0123456789a", "0123456789b", "f"]),
        (["0123456789", "01234567890"], ["0123456789", "01234567890"]),
        (["same-same-same", "same-same-same"], ["same-sam", "same-sam"]),
        ([], []),
    ],
)
def test_ids_are_as_short_as_they_can_be_to_be_unique(ids: list[str], short: list[str]) -> None:
    """At least eight characters, where there are so many."""
    shortened = short_ids(ids)
    assert [shortened[each] for each in ids] == short


def test_a_whole_id_is_told_from_a_name() -> None:
    """As the cloud makes them: lower case, 36 characters."""
    assert is_whole_id("6fa459ea-ee8a-3ca4-894e-db77e160355e")
    for text in "6fa459ea-ee8a-3ca4-894e-db77e160355", "6FA459EA-EE8A-3CA4-894E-DB77E160355E", "train", "":
        assert not is_whole_id(text)


def test_names_that_begin_so_are_suggested_and_then_similar_ones() -> None:
    """Three at the most; without any, nothing is said."""
    named = [NotebookRef("lab", str(number), name) for number, name in enumerate(["Train-1", "train-2", "tarin", "eval", None])]
    assert suggest("train", named) == "did you mean Train-1 or train-2 or tarin?"
    assert suggest("EVL", named) == "did you mean eval?"
    assert suggest("something", named) == ""
    assert suggest("", named) == ""
