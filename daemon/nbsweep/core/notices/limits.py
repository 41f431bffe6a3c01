"""The limits of the kinds of channels, by the vendors' documents: docs/reference/channels.md has their sources."""

from collections.abc import Mapping

from msgspec import Struct

from nbsweep.core.pacing import Rate

KB, MB = 1000, 1_000_000
"""The smaller reading of what the vendors call KB."""


class ChannelLimit(Struct, frozen=True):
    """How often and how much may be sent."""

    rate: Rate
    bytes: int
    """The largest size of what is sent; for WeCom and Apprise that of the text, for SMN too, otherwise that of the whole."""
    documented: bool = True
    """Whether the vendor names the rate, so that a configuration must not exceed it."""


LIMITS: Mapping[str, ChannelLimit] = {
    "smtp": ChannelLimit(Rate(60, 60.0), 5 * MB, documented=False),
    "webhook": ChannelLimit(Rate(60, 60.0), 20 * KB, documented=False),
    "dingtalk": ChannelLimit(Rate(20, 60.0), 20 * KB),
    "feishu": ChannelLimit(Rate(100, 60.0), 20 * KB),
    "wecom": ChannelLimit(Rate(20, 60.0), 4096),
    "slack": ChannelLimit(Rate(1, 1.0), 40_000),
    "teams": ChannelLimit(Rate(4, 1.0), 28 * KB),
    "smn": ChannelLimit(Rate(60, 60.0), 256 * KB, documented=False),
    "apprise": ChannelLimit(Rate(20, 60.0), 4096, documented=False),
}
"""By kind."""
