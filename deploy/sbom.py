"""Writes daemon/nbsweep.cdx.json, the wheel's bill of materials: every package that nbsweep needs, in its pinned version.

The versions are those of constraints.txt, the requirements of each package those of the installed one. `make sbom` calls this.
"""

import json
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution
from itertools import chain
from pathlib import Path

from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from nbsweep import __version__

ROOT = Path(__file__).parents[1]
BILL = ROOT / "daemon" / "nbsweep.cdx.json"
# Where constraints.txt was made, whatever this machine is.
ENVIRONMENT = {
    "os_name": "posix",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
    "python_version": "3.11",
    "python_full_version": "3.11.0",
}

Dependencies = dict[str, set[str]]
"""The names of packages, each with the names of the packages that it depends on."""


def bill(constraints: str, requirements: list[str], optional: list[str]) -> str:
    """Return the bill of materials as CycloneDX JSON, equal for equal inputs: without a time and a serial number."""
    needed, all_packages = closure(requirements), closure([*requirements, *optional])
    versions = dict(pins(constraints))
    components = {name: component(name, versions[name], optional=name not in needed) for name in all_packages}
    itself = Component(name="nbsweep", version=__version__, type=ComponentType.APPLICATION, bom_ref="nbsweep")
    result = Bom(components=components.values(), metadata=BomMetaData(component=itself))
    direct = {canonicalize_name(requirement.name) for requirement in applying([*requirements, *optional], set())}
    result.register_dependency(itself, [components[name] for name in direct])
    for name, below in all_packages.items():
        result.register_dependency(components[name], [components[child] for child in below])
    document = json.loads(JsonV1Dot6(result).output_as_string())
    del document["serialNumber"], document["metadata"]["timestamp"]
    return json.dumps(document, indent=1) + "\n"


def pins(constraints: str) -> Iterator[tuple[str, str]]:
    """Yield each pinned name with its version."""
    for line in constraints.splitlines():
        name, version = line.split("==")
        yield canonicalize_name(name), version


def closure(requirements: Iterable[str]) -> Dependencies:
    """Return all packages that the requirements lead to."""
    found: Dependencies = {}

    def visit(requirement: Requirement) -> None:
        name = canonicalize_name(requirement.name)
        below = found.setdefault(name, set())
        for wanted in applying(distribution(name).requires or [], requirement.extras):
            child = canonicalize_name(wanted.name)
            if child not in below:
                below.add(child)
                visit(wanted)

    for requirement in applying(requirements, set()):
        visit(requirement)
    return found


def applying(requirements: Iterable[str], extras: set[str]) -> Iterator[Requirement]:
    """Yield the requirements whose markers hold with these extras."""
    for requirement in map(Requirement, requirements):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({**ENVIRONMENT, "extra": extra}) for extra in ("", *extras)):
            yield requirement


def component(name: str, version: str, *, optional: bool) -> Component:
    """Describe a package of PyPI, with its license if its metadata has it as an SPDX expression."""
    licenses = distribution(name).metadata.get_all("License-Expression") or ()
    return Component(
        name=name,
        version=version,
        scope=ComponentScope.OPTIONAL if optional else ComponentScope.REQUIRED,
        purl=PackageURL("pypi", name=name, version=version),
        bom_ref=f"{name}=={version}",
        licenses=[LicenseExpression(text) for text in licenses],
    )


def main() -> None:
    """Write the file anew."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    text = bill(constraints, project["dependencies"], list(chain.from_iterable(project["optional-dependencies"].values())))
    BILL.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
