"""Which credentials a target gets, and what is said when it gets none."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.cloud.auth.credentials import Credentials
from nbsweep.adapters.cloud.auth.profile import keys_of_environment, keys_of_profile, read_secret
from nbsweep.adapters.cloud.auth.provider import METADATA_VARIABLE, open_credential_provider
from nbsweep.adapters.cloud.auth.refresh import RefreshingCredentials
from nbsweep.adapters.cloud.auth.signing import AccessKey
from nbsweep.core.errors import Unauthorized
from nbsweep.settings import CredentialSettings, TargetSettings
from nbsweep.simulator import SimulatorOptions, running_simulator

PAIR = {"HUAWEICLOUD_SDK_AK": "AK", "HUAWEICLOUD_SDK_SK": "S3CRET"}
NOBODY = {METADATA_VARIABLE: "http://127.0.0.1:1"}
"""No machine that tests run on is asked for its keys."""


async def find(environment: Mapping[str, str], **credentials: Any) -> Credentials:
    """Find the credentials of a target whose configuration says so."""
    given = CredentialSettings(**credentials) if credentials else None
    target = TargetSettings(name="t", region="cn-north-4", project_id="0" * 32, credentials=given)
    async with open_credential_provider(NOBODY | dict(environment), SystemClock()) as provider:
        return await provider.find(target)


def profile(folder: Path, text: str) -> dict[str, str]:
    """Write the file of profiles into a home, and give the environment to that."""
    (folder / ".huaweicloud").mkdir()
    (folder / ".huaweicloud" / "credentials").write_text(text)
    return {"HOME": str(folder)}


BASIC = "[basic]\nak = FILE-AK\nsk = FILE-S3CRET\nproject_id = p\n"


# ---- the environment and the file of profiles -----------------------------------------------------------------------------


def test_keys_of_the_environment() -> None:
    """With a token or without; none when nothing is set, or nothing is in it."""
    assert keys_of_environment(PAIR) == AccessKey("AK", "S3CRET")
    assert keys_of_environment(PAIR | {"HUAWEICLOUD_SDK_SECURITY_TOKEN": "st"}) == AccessKey("AK", "S3CRET", "st")
    assert keys_of_environment({"HUAWEICLOUD_SDK_PROJECT_ID": "p"}) is None
    assert keys_of_environment({"HUAWEICLOUD_SDK_AK": "", "HUAWEICLOUD_SDK_SK": ""}) is None


@pytest.mark.parametrize("missing", PAIR)
def test_half_a_pair_is_an_error(missing: str) -> None:
    """It names what is missing, and not what is there."""
    with pytest.raises(Unauthorized, match=f"but not {missing}") as caught:
        keys_of_environment({name: value for name, value in PAIR.items() if name != missing})
    assert "S3CRET" not in str(caught.value)


@pytest.mark.parametrize("bad", ["S3C RET", "S3CRET\n", "S3CRÉT"])
def test_what_cannot_be_a_key_is_not_quoted(bad: str) -> None:
    """It would not travel in a header."""
    with pytest.raises(Unauthorized, match="the environment") as caught:
        keys_of_environment(PAIR | {"HUAWEICLOUD_SDK_SK": bad})
    assert "S3C" not in str(caught.value)


def test_keys_of_a_profile(tmp_path: Path) -> None:
    """In the home, or where the environment says."""
    home = profile(tmp_path, BASIC + "security_token = st\n[global]\nak = other\n")
    expected = AccessKey("FILE-AK", "FILE-S3CRET", "st")
    assert keys_of_profile(home) == expected
    assert keys_of_profile({"HUAWEICLOUD_SDK_CREDENTIALS_FILE": str(tmp_path / ".huaweicloud" / "credentials")}) == expected


@pytest.mark.parametrize("text", ["", "[global]\nak = a\nsk = b\n", "[basic]\nproject_id = p\n"])
def test_a_file_without_such_keys_is_passed_over(tmp_path: Path, text: str) -> None:
    """As is one that is not there."""
    assert keys_of_profile(profile(tmp_path, text)) is None
    assert keys_of_profile({"HOME": str(tmp_path / "elsewhere")}) is None
    assert keys_of_profile({}) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[basic]\nak = a\n", "has ak, but not sk"),
        ("[basic]\nsk = S3CRET\n", "has sk, but not ak"),
        ("ak = a\nsk = S3CRET\n", "is not a valid profile file"),
        ("[basic]\nak = a\nak = S3CRET\n", "is not a valid profile file"),
        ("[basic]\nak = a\nsk = %(S3CRET)s\n", "is not a valid profile file"),
        ("[basic]\nak = a\nsk = S3CRET S3CRET\n", "invalid key from"),
        ("#" * 70_000, "larger than 65536 bytes"),
    ],
)
def test_a_file_that_is_wrong_is_not_passed_over(tmp_path: Path, text: str, words: str) -> None:
    """One sentence, with its path, and nothing of what is in it."""
    with pytest.raises(Unauthorized, match=words) as caught:
        keys_of_profile(profile(tmp_path, text))
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "S3CRET" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    """Whoever names it does not mean another."""
    with pytest.raises(Unauthorized, match="cannot be read: No such file or directory"):
        keys_of_profile({"HUAWEICLOUD_SDK_CREDENTIALS_FILE": str(tmp_path / "none")})


# ---- files of one secret --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["S3CRET", "S3CRET\n", "S3CRET\r\n", "\ufeffS3CRET\n\n"])
def test_line_ends_behind_a_secret_do_not_count(tmp_path: Path, text: str) -> None:
    """Editors put them there."""
    path = tmp_path / "secret"
    path.write_bytes(text.encode())
    assert read_secret("secret_key_file", str(path)) == "S3CRET"


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is empty"), (b"\n", "is empty"), (b"S3CRET\nmore\n", "more than one line"), (b"\xff\xfe", "not UTF-8 text")],
)
def test_a_file_that_holds_no_secret_is_an_error(tmp_path: Path, content: bytes, words: str) -> None:
    """With the key that names it."""
    path = tmp_path / "secret"
    path.write_bytes(content)
    with pytest.raises(Unauthorized, match=words) as caught:
        read_secret("password_file", str(path))
    assert f"{path}, which password_file names," in str(caught.value)
    assert "S3CRET" not in str(caught.value)


@pytest.mark.parametrize("name", ["none", "."])
def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path, name: str) -> None:
    """Not there, or a folder."""
    with pytest.raises(Unauthorized, match="which secret_key_file names, cannot be read"):
        read_secret("secret_key_file", str(tmp_path / name))


# ---- the chain ------------------------------------------------------------------------------------------------------------


async def test_the_configuration_comes_first() -> None:
    """Whatever else there is."""
    assert await find(PAIR, access_key="MINE", secret_key="mine") == AccessKey("MINE", "mine")


async def test_then_the_environment_then_the_profile(tmp_path: Path) -> None:
    """In the vendor's order."""
    home = profile(tmp_path, BASIC)
    assert await find(home | PAIR) == AccessKey("AK", "S3CRET")
    assert await find(home) == AccessKey("FILE-AK", "FILE-S3CRET")


async def test_then_the_agency_of_this_machine() -> None:
    """One for all targets; in the configuration it comes before the environment."""
    target = TargetSettings(name="t", region="cn-north-4", project_id="0" * 32)
    asked = target.model_copy(update={"credentials": CredentialSettings(agency="metadata")})
    async with (
        running_simulator(SimulatorOptions()) as simulator,
        open_credential_provider({METADATA_VARIABLE: f"{simulator.url}/"}, SystemClock()) as provider,
    ):
        found = await provider.find(target)
        assert isinstance(found, RefreshingCredentials)
        assert found is await provider.find(asked)
        assert found.account == f"the agency behind {simulator.url}"
        assert len(simulator.log.entries) == 2
    assert isinstance(await find(PAIR, agency="metadata"), RefreshingCredentials)


async def test_who_has_none_is_told_every_place_that_was_looked_at(tmp_path: Path) -> None:
    """In one sentence."""
    with pytest.raises(Unauthorized) as caught:
        await find({"HOME": str(tmp_path)})
    places = ("configuration", "HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", str(tmp_path), "127.0.0.1:1", "ECS")
    assert [place for place in places if place not in str(caught.value)] == []
    assert "\n" not in str(caught.value)


async def test_the_metadata_servers_address_must_be_one() -> None:
    """Said before anything is asked."""
    with pytest.raises(Unauthorized, match="must be an address"):
        await find({METADATA_VARIABLE: "169.254.169.254"})


async def test_secrets_may_be_in_files(tmp_path: Path) -> None:
    """Every one of them."""
    for name in ("sk", "st", "pw"):
        (tmp_path / name).write_text(f"{name}-S3CRET\n")
    files = {"secret_key_file": str(tmp_path / "sk"), "security_token_file": str(tmp_path / "st")}
    assert await find({}, access_key="AK", **files) == AccessKey("AK", "sk-S3CRET", "st-S3CRET")
    user = await find({}, username="u", domain="d", password_file=str(tmp_path / "pw"))
    assert isinstance(user, RefreshingCredentials)
    assert user.account == "d/u"


async def test_what_the_configuration_gives_must_travel_in_a_header(tmp_path: Path) -> None:
    """The target is named."""
    (tmp_path / "sk").write_text("S3 CRET")
    with pytest.raises(Unauthorized, match="target t"):
        await find({}, access_key="AK", secret_key_file=str(tmp_path / "sk"))
