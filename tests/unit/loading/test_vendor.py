"""Projects and addresses that the vendor's environment and files name, for targets that leave them out."""

from pathlib import Path
from typing import Any

import pytest

from nbsweep.core.errors import ConfigurationError
from nbsweep.loading.vendor import with_vendor_names

P1, P2 = "1" * 32, "2" * 32


def filled(environment: dict[str, str], **target: Any) -> dict[str, Any]:
    """Fill in one target of cn-north-4; give what it has then."""
    document = with_vendor_names({"targets": [{"name": "t", "region": "cn-north-4", **target}]}, environment)
    assert isinstance(document, dict)
    (found,) = document["targets"]
    return dict(found)


def home(folder: Path, **files: str) -> dict[str, str]:
    """Write files into ~/.huaweicloud, and give the environment."""
    (folder / ".huaweicloud").mkdir()
    for name, text in files.items():
        (folder / ".huaweicloud" / name.replace("_", ".")).write_bytes(text.encode())
    return {"HOME": str(folder)}


def test_a_named_project_is_the_one_that_is_swept() -> None:
    """Only where the configuration names none; an empty variable names none."""
    environment = {"HUAWEICLOUD_SDK_PROJECT_ID": P1}
    assert filled(environment)["project_id"] == P1
    assert filled(environment, project_id=P2)["project_id"] == P2
    assert filled(environment, credentials={"access_key": "a"})["project_id"] == P1
    assert "project_id" not in filled({"HUAWEICLOUD_SDK_PROJECT_ID": " "})


def test_an_address_of_modelarts_by_region() -> None:
    """The first of several; of this region only; a name without a scheme is meant to be encrypted."""
    environment = {"HUAWEICLOUD_SDK_REGION_MODELARTS_CN_NORTH_4": "https://one.example.com,https://two.example.com"}
    assert filled(environment)["endpoint"] == "https://one.example.com"
    assert filled(environment, endpoint="https://mine.example.com")["endpoint"] == "https://mine.example.com"
    assert "endpoint" not in filled(environment, region="cn-east-3")
    bare = {"HUAWEICLOUD_SDK_REGION_MODELARTS_CN_NORTH_4": "one.example.com"}
    assert filled(bare)["endpoint"] == "https://one.example.com"


@pytest.mark.parametrize(
    "region", ["endpoint: https://r.example.com", "endpoints: [https://r.example.com, https://s.example.com]"]
)
def test_an_address_in_the_file_of_regions(tmp_path: Path, region: str) -> None:
    """In either of its forms, with whatever line ends and mark; the environment goes before it."""
    environment = home(
        tmp_path,
        regions_yaml=f"\ufeffECS:\n- id: cn-north-4\n  endpoint: x\r\nModelArts:\r\n- id: cn-north-4\r\n  {region}\r\n",
    )
    assert filled(environment)["endpoint"] == "https://r.example.com"
    environment["HUAWEICLOUD_SDK_REGION_MODELARTS_CN_NORTH_4"] = "https://e.example.com"
    assert filled(environment)["endpoint"] == "https://e.example.com"


def test_an_address_of_iam() -> None:
    """With any credentials, or none; the configuration goes before it."""
    environment = {"HUAWEICLOUD_SDK_IAM_ENDPOINT": "https://iam.example.com"}
    assert filled(environment)["iam_endpoint"] == "https://iam.example.com"
    assert filled(environment, credentials={"agency": "metadata"})["iam_endpoint"] == "https://iam.example.com"
    given = {"iam_endpoint": "https://mine.example.com"}
    assert "iam_endpoint" not in filled(environment, credentials=given)
    assert filled(environment, **given)["iam_endpoint"] == "https://mine.example.com"


PROFILE = f"[basic]\r\nak = a\r\nsk = s%s\r\nproject_id = {P1}\r\niam_endpoint = https://iam.example.com\r\n"


def test_a_profile_names_its_project_and_its_iam(tmp_path: Path) -> None:
    """Where its keys are those that are used, and nowhere else."""
    environment = home(tmp_path, credentials=PROFILE)
    found = filled(environment)
    assert found["project_id"] == P1
    assert found["iam_endpoint"] == "https://iam.example.com"
    assert "project_id" not in filled(environment | {"HUAWEICLOUD_SDK_AK": "other", "HUAWEICLOUD_SDK_SK": "other"})
    assert "project_id" not in filled(environment, credentials={"access_key": "other"})
    assert filled(environment | {"HUAWEICLOUD_SDK_PROJECT_ID": P2})["project_id"] == P2


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"HUAWEICLOUD_SDK_PROJECT_ID": "my-project"}, "HUAWEICLOUD_SDK_PROJECT_ID must be 32 hexadecimal digits"),
        ({"HUAWEICLOUD_SDK_IAM_ENDPOINT": "http://iam.example.com"}, "HUAWEICLOUD_SDK_IAM_ENDPOINT must begin with https://"),
        ({"HUAWEICLOUD_SDK_REGION_MODELARTS_CN_NORTH_4": "https://h/path"}, "MODELARTS_CN_NORTH_4 must be an address"),
        (
            {"HUAWEICLOUD_SDK_REGIONS_FILE": "/nowhere/regions.yaml"},
            "/nowhere/regions.yaml, which HUAWEICLOUD_SDK_REGIONS_FILE names",
        ),
    ],
)
def test_what_is_named_and_cannot_be_used_is_a_mistake(environment: dict[str, str], words: str) -> None:
    """By the name of the variable; nothing else is taken in its place."""
    with pytest.raises(ConfigurationError, match="environment cannot be used") as caught:
        filled(environment)
    assert words in str(caught.value)


@pytest.mark.parametrize("document", [None, [], {}, {"targets": None}, {"targets": ["x", {"credentials": 3}]}])
def test_what_is_no_configuration_is_left_to_others(document: Any) -> None:
    """Its mistakes are told with their places later."""
    assert (
        with_vendor_names(document, {"HUAWEICLOUD_SDK_IAM_ENDPOINT": "https://iam.example.com"}) is not None or document is None
    )
