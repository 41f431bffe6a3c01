"""Opens the channels that the settings describe. Their libraries are loaded only if there are any."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import anyio

from nbsweep.adapters.cloud.auth.signing import Request
from nbsweep.bootstrap.accounts import TargetAccess, open_accounts
from nbsweep.core.checks import Check, Grade, passed
from nbsweep.core.errors import CloudError, Forbidden, Unauthorized, WrongAddress
from nbsweep.core.notices.channel import OpenChannels
from nbsweep.core.notices.proof import NoProof, Prove
from nbsweep.core.ports import Clock
from nbsweep.settings import Settings
from nbsweep.settings.people.channels import Channels, SmnSettings


@asynccontextmanager
async def open_channels_of(settings: Settings, accesses: Sequence[TargetAccess], clock: Clock) -> AsyncIterator[OpenChannels]:
    """Open all channels; `accesses` has the credentials of the targets, by which channels in the cloud are called."""
    if not settings.channels:
        yield OpenChannels(())
        return
    from nbsweep.adapters.channels.open import open_channels  # noqa: PLC0415 - not for those who configure no channel

    async with open_channels(settings.channels, clock, make_prover(accesses, clock)) as channels:
        yield channels


@asynccontextmanager
async def open_channel_alone(
    settings: Settings, name: str, environment: Mapping[str, str], clock: Clock
) -> AsyncIterator[OpenChannels]:
    """Open one channel, with the credentials that it needs, if any."""
    channels: Channels = {name: settings.channels[name]}
    needed = {channel.target for channel in channels.values() if isinstance(channel, SmnSettings)}
    targets = [target for target in settings.targets if target.name in needed]
    async with (
        open_accounts(targets, environment, clock) as accesses,
        open_channels_of(settings.model_copy(update={"channels": channels}), accesses, clock) as found,
    ):
        yield found


async def check_channels(settings: Settings, clock: Clock) -> list[Check]:
    """Check each channel as far as that goes without a message. The channels are tried concurrently."""
    if not settings.channels:
        return []
    from nbsweep.adapters.channels.trial import try_channel  # noqa: PLC0415 - not for those who configure no channel

    checks: dict[str, Check] = {}

    async def check_one(name: str) -> None:
        trial = await try_channel(name, settings.channels[name], clock)
        finding = f"{name} ({settings.channels[name].kind}): {trial.finding}"
        advice = f"Nobody is told by it until that is right. `nbsweep notify test {name}` sends a message."
        checks[name] = passed("channel", finding) if trial.works else Check("channel", Grade.FAILED, finding, advice)

    async with anyio.create_task_group() as group:
        for name in settings.channels:
            group.start_soon(check_one, name)
    return [checks[name] for name in settings.channels]


def make_prover(accesses: Sequence[TargetAccess], clock: Clock) -> Prove:
    """Return a function that proves whose call a POST is."""
    known = {access.target.name: access for access in accesses}

    async def prove(target: str, host: str, path: str, body: bytes) -> Mapping[str, str]:
        try:
            proof = await known[target].credentials.ready()
        except CloudError as error:
            raise NoProof(str(error), passing=not isinstance(error, Unauthorized | Forbidden | WrongAddress)) from error
        return proof.headers(Request("POST", host, path, body=body), clock.now())

    return prove
