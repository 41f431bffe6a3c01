"""Keys outside the configuration, where the vendor's tools look for them: the environment and the profile file.

Half a pair of keys is an error. The vendor's tools would look elsewhere instead, and nbsweep would delete under another
identity without notice.
"""

from collections.abc import Mapping
from configparser import ConfigParser
from configparser import Error as NotReadable
from pathlib import Path

from nbsweep.adapters.cloud.auth.credentials import key_pair
from nbsweep.adapters.cloud.auth.signing import AccessKey
from nbsweep.core.errors import Unauthorized
from nbsweep.settings.fields.paths import may_exist

SECTION = "basic"
LARGEST_BYTES = 65_536


def keys_of_environment(environment: Mapping[str, str]) -> AccessKey | None:
    """Return HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, with HUAWEICLOUD_SDK_SECURITY_TOKEN; None if they are not set.

    Raises:
        Unauthorized: only one of the pair is, or it cannot be a key.
    """
    names = ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN")
    return _pair("the environment", {name: environment.get(name, "") for name in names})


def profile_path(environment: Mapping[str, str]) -> Path | None:
    """Return the path of the profile file; None if there is no home folder."""
    if named := environment.get("HUAWEICLOUD_SDK_CREDENTIALS_FILE"):
        return Path(named)
    home = environment.get("HOME")
    return Path(home, ".huaweicloud", "credentials") if home else None


def keys_of_profile(environment: Mapping[str, str]) -> AccessKey | None:
    """Return ak, sk and security_token of the section [basic]; None if there is no file, or no such section.

    Raises:
        Unauthorized: the file is named and not there, cannot be read, or holds half a pair.
    """
    path = profile_path(environment)
    named = bool(environment.get("HUAWEICLOUD_SDK_CREDENTIALS_FILE"))
    if path is None or not (named or may_exist(path)):
        return None
    parser = ConfigParser()
    try:
        parser.read_string(read_small(path))
        section = dict(parser.items(SECTION)) if parser.has_section(SECTION) else {}
    except NotReadable:
        # The parser's message quotes the line, which may contain the key.
        raise Unauthorized(f"{path} is not a valid profile file, with sections such as [{SECTION}]") from None
    if section.get("idp_id") or section.get("id_token_file"):
        raise Unauthorized(
            f"the section [{SECTION}] of {path} names an identity provider, and nbsweep cannot sign in through one"
        )
    return _pair(f"the section [{SECTION}] of {path}", {name: section.get(name, "") for name in ("ak", "sk", "security_token")})


def read_secret(key: str, path: str) -> str:
    """Read a file that contains a secret and, at most, line ends after it; `key` is its key in the configuration.

    Raises:
        Unauthorized: it cannot be read, or holds nothing.
    """
    text = read_small(Path(path), key).rstrip("\r\n")
    if not text:
        raise Unauthorized(f"{path}, which {key} names, is empty")
    if not text.isprintable():
        raise Unauthorized(f"{path}, which {key} names, holds more than one line, or characters that are not text")
    return text


def read_small(path: Path, key: str = "") -> str:
    """Read a small text file.

    Raises:
        Unauthorized: it is not there, or not of that sort.
    """
    which = f"{path}, which {key} names," if key else str(path)
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise Unauthorized(f"{which} cannot be read: {error.strerror or 'unknown reason'}") from error
    if len(content) > LARGEST_BYTES:
        raise Unauthorized(f"{which} is larger than {LARGEST_BYTES} bytes, and a file of keys never is")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unauthorized(f"{which} is not UTF-8 text") from None


def _pair(source: str, found: Mapping[str, str]) -> AccessKey | None:
    """Build keys from the values of three names: access key, secret key, security token."""
    (first, access_key), (second, secret_key), (_, token) = found.items()
    if not access_key and not secret_key:
        if token:
            raise Unauthorized(f"{source} has {list(found)[2]}, but not {first} and {second}, which it belongs to")
        return None
    if not access_key or not secret_key:
        given, missing = (first, second) if access_key else (second, first)
        raise Unauthorized(f"{source} has {given}, but not {missing}; both are needed")
    return key_pair(source, access_key, secret_key, token)
