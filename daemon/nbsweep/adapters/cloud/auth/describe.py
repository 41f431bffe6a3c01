"""Describes which credentials a target has, and where they come from, without showing a secret."""

import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from nbsweep.adapters.cloud.auth.federation import AGENCY as AGENCY_URN
from nbsweep.adapters.cloud.auth.federation import OIDC, POD_URI
from nbsweep.adapters.cloud.auth.profile import SECTION, keys_of_environment, keys_of_profile, profile_path
from nbsweep.settings import CredentialSettings, TargetSettings

AGENCY = "temporary keys of this server's agency, from its metadata server"


def source_of(target: TargetSettings, environment: Mapping[str, str]) -> str:
    """Return a description of the credentials that `CredentialProvider.find` returns for a target.

    Raises:
        Unauthorized: the credentials cannot be used.
    """
    given = target.credentials
    if given is None:
        return _source_in_chain(environment)
    if given.agency is not None:
        return AGENCY
    kind = "an IAM user's name and password" if given.username is not None else "a pair of keys"
    if given.security_token is not None or given.security_token_file is not None:
        kind = "temporary keys"
    return f"{kind}, from the configuration{_files_of(given)}"


def exposed_files(target: TargetSettings) -> Iterator[str]:
    """Yield the secret files of a target that every user of this machine may read."""
    for path in _secret_files(target.credentials) if target.credentials else ():
        # An unreadable or missing file is an error of its own.
        with suppress(OSError):
            if Path(path).stat().st_mode & stat.S_IROTH:
                yield path


def _files_of(given: CredentialSettings) -> str:
    files = _secret_files(given)
    return f" and {', '.join(files)}" if files else ""


def _secret_files(given: CredentialSettings) -> list[str]:
    names = ("secret_key_file", "security_token_file", "password_file")
    return [path for path in (getattr(given, name) for name in names) if path is not None]


def _source_in_chain(environment: Mapping[str, str]) -> str:
    if any(environment.get(name) for name in OIDC):
        return f"temporary keys of the agency {environment[AGENCY_URN]}, by OpenID Connect"
    if keys_of_environment(environment):
        return "a pair of keys, from the environment (HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK)"
    if keys_of_profile(environment):
        return f"a pair of keys, from the section [{SECTION}] of {profile_path(environment)}"
    if environment.get(POD_URI):
        return "temporary keys of the identity of this pod"
    return AGENCY
