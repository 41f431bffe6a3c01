"""The bill of materials: held against the constraints, the requirements and the schema of CycloneDX."""

import json
import re
import runpy
import tomllib
from itertools import chain
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.support import DEPLOY, ROOT
from nbsweep import __version__

TEXT = (ROOT / "daemon" / "nbsweep.cdx.json").read_text(encoding="utf-8")
BILL: dict[str, Any] = json.loads(TEXT)
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REQUIRED: list[str] = PROJECT["dependencies"]
OPTIONAL: list[str] = list(chain.from_iterable(PROJECT["optional-dependencies"].values()))
COMPONENTS: dict[str, dict[str, Any]] = {found["name"]: found for found in BILL["components"]}
SCRIPT = runpy.run_path(str(DEPLOY / "sbom.py"))


def names(requirements: list[str]) -> set[str]:
    """Return the packages that are required directly."""
    return {canonicalize_name(Requirement(text).name) for text in requirements}


def test_it_is_what_make_sbom_writes() -> None:
    """Whoever changes a requirement or a pin calls `make sbom`."""
    assert SCRIPT["bill"](CONSTRAINTS, REQUIRED, OPTIONAL) == TEXT


def test_it_is_cyclonedx() -> None:
    """By the strict schema of its version."""
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(TEXT) is None
    assert BILL["metadata"]["component"] == {
        "bom-ref": "nbsweep",
        "name": "nbsweep",
        "type": "application",
        "version": __version__,
    }


def test_every_version_is_a_pinned_one() -> None:
    """Name for name."""
    pinned = dict(SCRIPT["pins"](CONSTRAINTS))
    assert {name: found["version"] for name, found in COMPONENTS.items()}.items() <= pinned.items()


def test_it_names_all_that_is_required_and_nothing_of_the_development() -> None:
    """What only an extra needs is optional."""
    assert names(REQUIRED) < set(COMPONENTS)
    optional = {name for name, found in COMPONENTS.items() if found["scope"] == "optional"}
    assert names(OPTIONAL) <= optional
    assert optional.isdisjoint(names(REQUIRED))
    assert {"greenlet", "mako", "idna"} <= set(COMPONENTS), "what the requirements require"
    assert {"pytest", "mypy", "sphinx", "hatchling", "cyclonedx-python-lib"}.isdisjoint(COMPONENTS)


def test_every_component_is_reached_from_nbsweep() -> None:
    """By the edges of the dependencies."""
    edges = {found["ref"]: found.get("dependsOn", []) for found in BILL["dependencies"]}
    reached, new = set[str](), {"nbsweep"}
    while new:
        reached |= new
        new = {below for name in new for below in edges[name]} - reached
    assert reached == {"nbsweep"} | {found["bom-ref"] for found in COMPONENTS.values()}


def test_it_names_no_address_and_no_path() -> None:
    """But the schema's own name: where packages were fetched from is nobody's business."""
    assert re.findall(r"[a-z]+://[^\"]*", TEXT) == [BILL["$schema"]]
    assert not re.search(r'"/|file:|\\\\', TEXT)


@pytest.mark.parametrize(
    ("before", "after"),
    [("aiohttp==", "aiohttp==0.0."), ("greenlet==", "greenlet==0.0.")],
)
def test_a_changed_pin_changes_it(before: str, after: str) -> None:
    """Also that of a package which is not required directly."""
    assert SCRIPT["bill"](CONSTRAINTS.replace(before, after), REQUIRED, OPTIONAL) != TEXT
