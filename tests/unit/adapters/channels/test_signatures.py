"""Signatures, held against the vendors' own code or against values that were worked out by other means."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer as VendorsSigner
from pydantic import TypeAdapter
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from channel_rigs import LETTER, no_proof
from hand_clock import HandClock
from nbsweep.adapters.channels.open import open_channels
from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.cloud.auth.lazy import LazyCredentials
from nbsweep.adapters.cloud.auth.signing import AccessKey
from nbsweep.bootstrap.accounts import TargetAccess, make_lanes
from nbsweep.bootstrap.people.channels import make_prover
from nbsweep.core.errors import Unauthorized
from nbsweep.core.notices.channel import Acceptance, Receipt
from nbsweep.core.notices.proof import Prove
from nbsweep.core.ports import Clock
from nbsweep.settings import LimitSettings, TargetSettings
from nbsweep.settings.people.channels import Channels
from robots import PROJECT, SECRET, WEBHOOK_SECRET, Robot, robots

OLD_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
DINGTALK_SIGN = "5JVamGru2FihMVfqAYVIj5BQ/1AbqhlXVJWsi/uFWPo="
FEISHU_SIGN = "nG8sCuvtR1rmaeAZzChaBZ0AH8DPdjqX6XPKSs1BSpA="
URN = f"urn:smn:cn-north-4:{PROJECT}:operators"


class At(HandClock):
    """A clock at one moment."""

    def __init__(self, moment: datetime) -> None:
        super().__init__()
        self._moment = moment

    def now(self) -> datetime:
        """Return the moment."""
        return self._moment


async def send(settings: Mapping[str, object], clock: Clock, prove: Prove = no_proof) -> Receipt:
    """Send a letter by a channel with these settings."""
    channels = TypeAdapter[Channels](Channels).validate_python({"ops": settings})
    async with open_channels(channels, clock, prove) as found:
        return await found.channels[0].send(LETTER)


async def test_dingtalk_and_feishu_sign_as_their_documents_say() -> None:
    """The values were worked out with `openssl dgst -sha256 -hmac`; the two vendors swap key and text."""
    clock = At(datetime(2026, 11, 29, 1, 2, 3, 456000, tzinfo=UTC))
    async with robots() as server:
        ding, fei = server.add("dingtalk"), server.add("feishu")
        await send({"kind": "dingtalk", "url": ding.url, "secret": SECRET}, clock)
        await send({"kind": "feishu", "url": fei.url, "secret": SECRET}, clock)
    assert ding.seen[0].query["timestamp"] == "1795914123456"
    assert ding.seen[0].query["sign"] == DINGTALK_SIGN
    assert ding.seen[0].query["access_token"] == "9f3c7e51a2"
    assert (fei.seen[0].document["timestamp"], fei.seen[0].document["sign"]) == ("1795914123", FEISHU_SIGN)


@pytest.mark.parametrize("kind", ["dingtalk", "feishu"])
async def test_a_clock_that_is_wrong_by_more_than_an_hour_is_told(kind: str) -> None:
    """The vendors refuse the signature, whatever the secret."""
    async with robots() as server:
        robot = server.add(kind, SECRET)
        robot.now_s = lambda: datetime(2026, 11, 29, tzinfo=UTC).timestamp()
        right = await send({"kind": kind, "url": robot.url, "secret": SECRET}, At(datetime(2026, 11, 29, 0, 59, tzinfo=UTC)))
        wrong = await send({"kind": kind, "url": robot.url, "secret": SECRET}, At(datetime(2026, 11, 29, 1, 1, tzinfo=UTC)))
    assert (right.acceptance, wrong.acceptance) == (Acceptance.ACCEPTED, Acceptance.MISCONFIGURED)


@pytest.mark.parametrize("known", [WEBHOOK_SECRET, OLD_SECRET])
async def test_during_a_rotation_the_server_may_know_either_secret(known: str) -> None:
    """The library of the specification verifies each; the id is the key of the letter in all attempts."""
    async with robots() as server:
        robot = server.add("webhook", known)
        for _ in range(2):
            receipt = await send({"kind": "webhook", "url": robot.url, "secret": [WEBHOOK_SECRET, OLD_SECRET]}, SystemClock())
            assert receipt.acceptance is Acceptance.ACCEPTED
    assert [taken.headers["webhook-id"] for taken in robot.seen] == [LETTER.key] * 2
    assert robot.seen[0].document == {
        "type": "nbsweep.notice",
        "data": {"key": LETTER.key, "subject": LETTER.subject, "text": LETTER.text, "markdown": LETTER.markdown},
    }


async def test_another_secret_does_not_verify() -> None:
    """The witness does refuse something."""
    async with robots() as server:
        robot = server.add("webhook", OLD_SECRET)
        receipt = await send({"kind": "webhook", "url": robot.url, "secret": WEBHOOK_SECRET}, SystemClock())
    assert receipt.acceptance is Acceptance.MISCONFIGURED
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD_SECRET).verify(robot.seen[0].body, dict(robot.seen[0].headers))


async def test_a_secret_that_is_none_is_told_without_showing_it(tmp_path: Path) -> None:
    """It cannot be decoded."""
    path = tmp_path / "secret"
    path.write_text("whsec_é")
    path.chmod(0o600)
    receipt = await send({"kind": "webhook", "url": "https://127.0.0.1:9/x", "secret_file": str(path)}, SystemClock())
    assert receipt.acceptance is Acceptance.MISCONFIGURED
    assert "channels.ops.secret" in receipt.detail
    assert "é" not in receipt.detail


def access(key: AccessKey | None) -> TargetAccess:
    """Return a target with a key, or with none yet."""

    async def find() -> AccessKey:
        raise Unauthorized("there are no credentials")

    target = TargetSettings.model_validate({"name": "research", "region": "cn-north-4"})
    limits = (LimitSettings(),)
    return TargetAccess(target, key or LazyCredentials("unknown", find), None, limits, make_lanes(limits, SystemClock()))


async def published(key: AccessKey | None) -> tuple[Robot, Receipt]:
    """Publish a letter with a key."""
    async with robots() as server:
        robot = server.add("smn")
        settings = {"kind": "smn", "target": "research", "topic_urn": URN, "endpoint": server.address}
        clock = SystemClock()
        return robot, await send(settings, clock, make_prover([access(key)], clock))


async def test_smn_is_signed_as_the_vendor_signs() -> None:
    """The vendor's own signer, given the request as it arrived, comes to the same signature."""
    key = AccessKey("QTWAOYTTINDUT2QVKYUC", "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc")
    robot, receipt = await published(key)
    assert (receipt.acceptance, receipt.provider_id) == (Acceptance.ACCEPTED, "bf94b63a5dfb4759")
    [taken] = robot.seen
    host, date = taken.headers["Host"], taken.headers["X-Sdk-Date"]
    request = SdkRequest(
        method="POST",
        schema="http",
        host=host,
        resource_path=f"/v2/{PROJECT}/notifications/topics/{URN}/publish",
        query_params=[],
        header_params={"X-Sdk-Date": date},
        body=taken.body.decode(),
    )
    expected = VendorsSigner(BasicCredentials(key.access_key, key.secret_key, PROJECT)).sign(request)
    assert taken.headers["Authorization"] == expected.header_params["Authorization"]
    assert taken.document == {"subject": LETTER.subject, "message": LETTER.text}


async def test_smn_without_credentials_is_of_the_channel_and_asks_nobody() -> None:
    """As long as there are none."""
    robot, receipt = await published(None)
    assert (receipt.acceptance, robot.seen) == (Acceptance.MISCONFIGURED, [])
    assert "target research: there are no credentials" in receipt.detail
