"""Projects and addresses that the vendor's environment and files name; they stand in for what the configuration leaves out.

Passing over a project that somebody has named would quietly sweep another one. Names and formats are those of the vendor's SDK
3.1.219 (ModelArts API, sections 5.4 and 5.5). Keys, and the identities that go with them, are for the adapters to find.
"""

import configparser
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from nbsweep.core.errors import ConfigurationError, Mistake
from nbsweep.settings.fields.address import Endpoint
from nbsweep.settings.targets import ProjectId

PROJECT = "HUAWEICLOUD_SDK_PROJECT_ID"
IAM = "HUAWEICLOUD_SDK_IAM_ENDPOINT"
REGIONS_FILE = "HUAWEICLOUD_SDK_REGIONS_FILE"
PROFILE_FILE = "HUAWEICLOUD_SDK_CREDENTIALS_FILE"
MODELARTS = "HUAWEICLOUD_SDK_REGION_MODELARTS_"
OTHER_IDENTITIES = ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_OIDC_PROVIDER_URN", "HUAWEICLOUD_SDK_IDP_ID")
"""Where one of them is set, the keys are not those of the profile, and neither is the project."""
LARGEST_BYTES = 65_536
_PROJECT_ID: TypeAdapter[str] = TypeAdapter(ProjectId)
_ADDRESS: TypeAdapter[str] = TypeAdapter(Endpoint)


def with_vendor_names(document: object, environment: Mapping[str, str]) -> object:
    """Fill in the project_id, endpoint and iam_endpoint of each target that has none.

    Raises:
        ConfigurationError: what is named cannot be used.
    """
    targets = document.get("targets") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(targets, list):
        return document
    profile = {} if any(environment.get(name) for name in OTHER_IDENTITIES) else _profile(environment)
    filled = [_filled(target, environment, profile) if isinstance(target, dict) else target for target in targets]
    return document | {"targets": filled}


def _filled(target: dict[Any, Any], environment: Mapping[str, str], profile: Mapping[str, str]) -> dict[Any, Any]:
    """Fill in one target; the profile speaks only where its keys are the ones that are used."""
    credentials, found = target.get("credentials"), dict(target)
    of_profile = profile if credentials is None else {}
    if target.get("project_id") is None and (project_id := _project(environment, of_profile)):
        found["project_id"] = project_id
    region = target.get("region")
    if target.get("endpoint") is None and isinstance(region, str) and (endpoint := _endpoint(environment, region)):
        found["endpoint"] = endpoint
    given = credentials if isinstance(credentials, dict) else {}
    if given.get("iam_endpoint") is None and target.get("iam_endpoint") is None:
        iam = _checked(IAM, environment.get(IAM), _ADDRESS) or _checked(
            "iam_endpoint", of_profile.get("iam_endpoint"), _ADDRESS
        )
        found |= {"iam_endpoint": iam} if iam else {}
    return found


def _project(environment: Mapping[str, str], profile: Mapping[str, str]) -> str | None:
    named = _checked(PROJECT, environment.get(PROJECT), _PROJECT_ID)
    return named or _checked("project_id in the file of profiles", profile.get("project_id"), _PROJECT_ID)


def _endpoint(environment: Mapping[str, str], region: str) -> str | None:
    name = f"{MODELARTS}{region.replace('-', '_').upper()}"
    if value := environment.get(name):
        # The SDK takes several, for when the first does not answer.
        return _checked(name, value.split(",")[0], _ADDRESS)
    return _checked(f"the endpoint of {region} in the file of regions", dict(_regions(environment)).get(region), _ADDRESS)


def _regions(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Read ModelArts' addresses by region: {ModelArts: [{id, endpoint or endpoints}]}."""
    path, named = _path(environment, REGIONS_FILE, "regions.yaml")
    text = _read(path, required=named) if path else None
    if not text:
        return
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError):
        raise _mistake(f"{path} cannot be read as a file of regions") from None
    for service, regions in document.items() if isinstance(document, dict) else ():
        for region in regions if str(service).upper() == "MODELARTS" and isinstance(regions, list) else ():
            if isinstance(region, dict):
                endpoints = [*(region.get("endpoints") or ()), region.get("endpoint")]
                yield str(region.get("id")), next((str(endpoint) for endpoint in endpoints if endpoint), "")


def _profile(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Read the section [basic]; errors in the file are reported where its keys are read."""
    path, _ = _path(environment, PROFILE_FILE, "credentials")
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string((_read(path, required=False) if path else None) or "")
    except configparser.Error:
        return {}
    section = dict(parser.items("basic")) if parser.has_section("basic") else {}
    return section if section.get("ak") and section.get("sk") else {}


def _path(environment: Mapping[str, str], variable: str, name: str) -> tuple[Path | None, bool]:
    """Return where a file of the vendor's is, and whether the environment says so."""
    named, home = environment.get(variable), environment.get("HOME")
    if named:
        return Path(named), True
    return (Path(home, ".huaweicloud", name) if home else None), False


def _read(path: Path, *, required: bool) -> str | None:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_BYTES).decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError) as error:
        if required:
            raise _mistake(f"{path}, which {REGIONS_FILE} names, cannot be read: {error.strerror}") from None
    except (OSError, UnicodeDecodeError):
        if required or path.name == "regions.yaml":
            raise _mistake(f"{path} cannot be read as a file of regions") from None
    return None


def _checked(name: str, value: str | None, adapter: TypeAdapter[str]) -> str | None:
    if not value or not value.strip():
        return None
    text = value.strip() if "://" in value or adapter is _PROJECT_ID else f"https://{value.strip()}"
    try:
        return adapter.validate_python(text)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]["msg"].removeprefix("Value error, ")
        raise _mistake(f"{name} {problem}") from None


def _mistake(problem: str) -> ConfigurationError:
    return ConfigurationError("the environment", (Mistake("", None, problem),))
