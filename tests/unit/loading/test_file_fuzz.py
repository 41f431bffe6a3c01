"""Any structure, and the valid configuration with anything changed in it: Settings that work, or mistakes that can be read."""

import copy
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from builders import notebook
from nbsweep.adapters.clock import SystemClock
from nbsweep.bootstrap.accounts import make_lanes
from nbsweep.core.errors import ConfigurationError
from nbsweep.core.facts import Moment
from nbsweep.core.policy import judge
from nbsweep.loading.file import load_settings
from nbsweep.settings import Settings
from nbsweep.testing import START
from unit.wires import fuzzing

CONFIG = Path(__file__).parents[3] / "config" / "nbsweep.yaml"
TEXT = CONFIG.read_text(encoding="utf-8")
MARKER = "S3CRETMARK"
ENVIRONMENT = {"AK": "an-id-is-no-secret", "SK": f"{MARKER}-sk", "X": "x"}
VALID: dict[str, Any] = yaml.safe_load(TEXT)

Steps = tuple[str | int, ...]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.dates(),
    st.sampled_from(
        ["STOPPED", "1d", "99999999999d", "0s", "1e99/s", "1/99999999h", "101%", "${X}", "${NONE}", "*", "[", "all", 10**400]
    ),
)
junk = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.sampled_from(sorted(VALID)), inner, max_size=3)
    ),
    max_leaves=8,
)


class Marked(yaml.SafeDumper):
    """Writes no aliases: the same value may stand at two places."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # PyYAML's signature
        """Write everything out."""
        return True


def written(document: Any) -> str:
    """Write it as YAML."""
    return str(yaml.dump(document, Dumper=Marked, allow_unicode=True))


def loaded(content: bytes) -> Settings | ConfigurationError:
    """Load it; anything but an error of ours is raised."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nbsweep.yaml"
        path.write_bytes(content)
        try:
            return load_settings(path, ENVIRONMENT)
        except ConfigurationError as error:
            return error


def check(made: Settings | ConfigurationError) -> None:
    """Hold what came of it to be of use: settings that a sweep can be made of, or mistakes with places and words."""
    if isinstance(made, ConfigurationError):
        assert MARKER not in f"{made} {made!r}"
        assert made.mistakes
        assert all(mistake.problem and len(mistake.problem) < 1000 for mistake in made.mistakes)
        assert MARKER not in repr(made.mistakes)
        return
    assert made.policies
    assert made.targets
    judge(notebook(), made.rules, Moment(START, {}))
    made.brakes.to_core()
    make_lanes([target.limits for target in made.targets], SystemClock())
    made.model_dump_json(exclude={"targets"})
    assert all(target.base_url for target in made.targets)


def places(document: Any, at: Steps = ()) -> Iterator[Steps]:
    """List the path of every value."""
    yield at
    inner = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    for key, value in inner:
        yield from places(value, (*at, key))


PLACES = sorted(filter(None, places(VALID)), key=repr)


@st.composite
def mutations(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the valid configuration with a few of its values changed, taken out, doubled, wrapped, or moved."""
    document = copy.deepcopy(VALID)
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(PLACES))
        holder: Any = document
        try:
            for step in way:
                holder = holder[step]
            value = holder[last]
            _change(draw, holder, last, value)
        except (KeyError, IndexError, TypeError):
            continue
    return document


def _change(draw: st.DrawFn, holder: Any, last: Any, value: Any) -> None:
    match draw(st.sampled_from(["replace", "drop", "wrap", "spread", "double", "another", "secret"])):
        case "replace":
            holder[last] = draw(junk)
        case "drop":
            del holder[last]
        case "wrap":
            holder[last] = draw(st.sampled_from([[value], {"not": value}, {"any": [value]}, {str(last): value}]))
        case "spread":
            holder[last] = draw(st.sampled_from(list(value.values() if isinstance(value, dict) else value) or ["x"]))
        case "double":
            holder[last] = [value, value]
        case "another":
            holder[draw(st.text(max_size=5))] = draw(junk)
        case _:
            holder[last] = draw(st.sampled_from([f"{MARKER}/x", [f"{MARKER}"], {"a": f"{MARKER} x"}, "${SK}", ["${SK}"]]))


def test_the_valid_one_is_valid() -> None:
    """Or the mutations would prove little; nor does it show the keys in it, however it is written down."""
    made = loaded(TEXT.encode())
    assert isinstance(made, Settings)
    check(made)
    assert MARKER not in f"{made} {made!r} {made.model_dump()} {made.model_dump_json()}"
    assert isinstance(loaded(written(VALID).encode()), Settings)


@fuzzing
@given(junk)
def test_any_structure_gives_settings_or_mistakes(document: Any) -> None:
    """Whatever YAML can say."""
    check(loaded(written(document).encode("utf-8", "surrogatepass")))


@fuzzing
@given(mutations())
def test_the_valid_one_with_anything_changed_gives_settings_or_mistakes(document: dict[str, Any]) -> None:
    """A secret that stands at a wrong place is not quoted, and settings that load are settings that work."""
    check(loaded(written(document).encode("utf-8", "surrogatepass")))


@fuzzing
@given(
    st.integers(0, len(TEXT.encode())),
    st.integers(0, 40),
    st.binary(max_size=6) | st.sampled_from([b"\t", b"\n", b": ", b"- ", b"&a ", b"*a", b"!!x "]),
)
def test_the_valid_one_with_any_bytes_changed_gives_settings_or_mistakes(start: int, length: int, put: bytes) -> None:
    """A hole somewhere, and something else in it."""
    content = TEXT.encode()
    check(loaded(content[:start] + put + content[start + length :]))


@fuzzing
@given(st.binary(max_size=80))
def test_any_bytes_give_settings_or_mistakes(content: bytes) -> None:
    """Whether they are text or not."""
    check(loaded(content))
