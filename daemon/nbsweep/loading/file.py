"""The configuration file and the environment in, Settings out; or every mistake at once, each with its place.

No mistake quotes a value that may be a secret.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from nbsweep.core.errors import ConfigurationError, Mistake
from nbsweep.loading.nodes import refusal, root_node
from nbsweep.loading.reader import Reader
from nbsweep.loading.vendor import with_vendor_names
from nbsweep.settings import Problem, Settings, problems
from nbsweep.settings.fields.paths import at_home, may_exist

USUAL_PLACES = (Path("nbsweep.yaml"), Path("/etc/nbsweep/nbsweep.yaml"))
LARGEST_BYTES = 1_048_576
RULES = ("policies", "protect", "groups", "brakes", "windows", "marks", "calendar", "removal", "channels", "owners")
"""The groups of a configuration on which plans depend, and those without which no policy can have a grace.

A file of rules has some of them, and nothing else."""
NO_RULE = f"is no group of rules; a file without targets holds only {', '.join(RULES)}"


def find_config(option: Path | None, environment: Mapping[str, str]) -> Path:
    """Return the configuration file: from the option, the environment, or the first that exists in the usual places.

    Raises:
        ConfigurationError: none is named, and none is there.
    """
    named = option or environment.get("NBSWEEP_CONFIG")
    if named:
        with suppress(ValueError):
            return Path(at_home(str(named)))
        return Path(named)
    for path in USUAL_PLACES:
        if may_exist(path):
            return path
    places = " and ".join(str(path) for path in USUAL_PLACES)
    problem = (
        f"there is no file: looked for {places}; `nbsweep init` writes one, or name it with --config or in $NBSWEEP_CONFIG"
    )
    raise ConfigurationError("the configuration", (Mistake("", None, problem),))


def load_settings(path: Path, environment: Mapping[str, str], *, needs_credentials: bool = True) -> Settings:
    """Read the file, put the environment in, and check everything.

    Without `needs_credentials`, variables that are not set are no mistakes inside `credentials` and `channels`, whose values
    are then useless.

    Raises:
        ConfigurationError: it cannot be used; holds every mistake that was found.
    """
    return read_settings(str(path), _text(path), environment, needs_credentials=needs_credentials)


def read_settings(source: str, text: str, environment: Mapping[str, str], *, needs_credentials: bool = True) -> Settings:
    """Read the text of a configuration, put the environment in, and check everything; `source` is its name in mistakes.

    Raises:
        ConfigurationError: it cannot be used; holds every mistake that was found.
    """
    return _read(Reader(source, environment, needs_credentials=needs_credentials), source, text, environment)


def load_with_lines(path: Path, environment: Mapping[str, str]) -> tuple[Settings, Mapping[str, int]]:
    """Read the file like `load_settings`; return the line of each of its places, such as `policies[0]`, too.

    Raises:
        ConfigurationError: it cannot be used; holds every mistake that was found.
    """
    reader = Reader(str(path), environment)
    return _read(reader, str(path), _text(path), environment), reader.lines


def load_rules(rules: Path, config: Path, environment: Mapping[str, str]) -> Settings:
    """Read rules to try: of a whole configuration, or of a file that holds only some of `RULES`.

    Such a file stands in for the same groups of `config`, which has the others. No credentials are needed.

    Raises:
        ConfigurationError: they cannot be used; holds every mistake that was found, with its line in the file of rules.
    """
    source = str(rules)
    reader = Reader(source, environment, needs_credentials=False)
    given = reader.read(root_node(source, _text(rules)))
    if not isinstance(given, dict) or "targets" in given:
        return load_settings(rules, environment, needs_credentials=False)
    base = Reader(str(config), environment, needs_credentials=False).read(root_node(str(config), _text(config)))
    values = with_vendor_names(base, environment)
    strange = [Mistake(key, reader.lines.get(key), NO_RULE) for key in given if key not in RULES]
    changed = {**values, **{key: given[key] for key in RULES if key in given}} if isinstance(values, dict) else values
    return _settled(reader, source, _validated(changed), strange)


def _read(reader: Reader, source: str, text: str, environment: Mapping[str, str]) -> Settings:
    values = reader.read(root_node(source, text))
    try:
        values = with_vendor_names(values, environment)
    except ConfigurationError as error:
        raise ConfigurationError(source if reader.mistakes else error.source, (*reader.mistakes, *error.mistakes)) from None
    return _settled(reader, source, _validated(values))


def _settled(reader: Reader, source: str, made: Settings | list[Problem], others: Sequence[Mistake] = ()) -> Settings:
    """Return the settings if there is no mistake at all.

    Raises:
        ConfigurationError: there is; holds every mistake that was found.
    """
    if isinstance(made, Settings) and not reader.mistakes and not others:
        return made
    found = [] if isinstance(made, Settings) else reader.placed(made)
    mistakes = [*reader.mistakes, *others, *found]
    raise ConfigurationError(source, tuple(sorted(mistakes, key=lambda mistake: mistake.line or 0)))


def _validated(values: object) -> Settings | list[Problem]:
    """Return what is wrong instead of raising it: pydantic's error holds all that was given, secrets included."""
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        return list(problems(error))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise refusal(str(path), None, f"the file cannot be read: {error.strerror or 'unknown reason'}") from error
    if len(content) > LARGEST_BYTES:
        raise refusal(str(path), None, f"the file is larger than {LARGEST_BYTES} bytes, and no configuration is")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise refusal(str(path), line, "the file is not UTF-8 text; save it as UTF-8") from None
