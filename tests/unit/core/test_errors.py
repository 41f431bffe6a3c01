import inspect
import re

import pytest

from nbsweep.core import errors
from nbsweep.core.errors import CloudError, ConfigurationError, Mistake, NbsweepError
from nbsweep.core.lifecycle import IllegalStepError


def drawn() -> dict[str, str | None]:
    """Read the tree in the module's docstring: each class, and the class it hangs from."""
    tree: dict[str, str | None] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^([│├└─ ]*)([A-Z]\w+)(?:\s{2,}.*)?$", line)
        if not found:
            continue
        depth = len(found[1]) // 4
        del above[depth:]
        tree[found[2]] = above[-1] if above else None
        above.append(found[2])
    return tree


def defined() -> dict[str, str | None]:
    """List the module's error classes, and the class each is derived from."""
    classes = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, NbsweepError)]
    return {cls.__name__: None if cls is NbsweepError else cls.__bases__[0].__name__ for cls in classes}


def test_the_tree_is_as_drawn() -> None:
    """The drawing on top of the module and the classes below it say the same, and leave none out."""
    assert len(drawn()) >= 18
    assert drawn() == defined()


def test_every_error_says_what_it_means() -> None:
    """Each class has a sentence of its own, and one parent only."""
    for name in defined():
        cls = getattr(errors, name)
        assert cls.__doc__
        assert len(cls.__bases__) == 1


@pytest.mark.parametrize("name", [name for name in defined() if issubclass(getattr(errors, name), CloudError)])
def test_an_error_of_the_cloud_carries_the_clouds_own_words(name: str) -> None:
    """Code, HTTP status and request id come along, and are not mixed into the sentence."""
    error = getattr(errors, name)("the cloud said no", code="ModelArts.6357", http_status=400, request_id="req-1")
    assert (str(error), error.code, error.http_status, error.request_id) == (
        "the cloud said no",
        "ModelArts.6357",
        400,
        "req-1",
    )
    bare = getattr(errors, name)("nothing was said")
    assert (bare.code, bare.http_status, bare.request_id) == ("", 0, "")


def test_what_is_gone_is_never_a_wrong_address() -> None:
    """A 404 of the gateway must not be caught as "deleted", nor any refusal as success."""
    for name in defined():
        cls = getattr(errors, name)
        if cls is not errors.Gone:
            assert not issubclass(cls, errors.Gone), name
    assert issubclass(errors.WrongAddress, errors.SweepEnding)
    assert not issubclass(errors.Gone, errors.SweepEnding)


def test_a_configuration_error_shows_every_mistake() -> None:
    """All of them at once, each with its line, its path and what is wrong, in the order they were found."""
    mistakes = (
        Mistake("targets[0].limits.delete", 12, "'fast' is not a rate; write 5/s"),
        Mistake("policies", None, "is missing"),
        Mistake("", 3, "is not YAML"),
        Mistake("", None, "is empty"),
    )
    error = ConfigurationError("nbsweep.yaml", mistakes)
    assert str(error).splitlines() == [
        "nbsweep.yaml cannot be used:",
        "  line 12: targets[0].limits.delete: 'fast' is not a rate; write 5/s",
        "  policies: is missing",
        "  line 3: is not YAML",
        "  is empty",
    ]
    assert (error.source, error.mistakes) == ("nbsweep.yaml", mistakes)


def test_a_bug_is_none_of_these() -> None:
    """An error of this tree is the world's doing; an illegal step is ours, and must not be caught as one."""
    assert not issubclass(IllegalStepError, NbsweepError)
