"""Words of both languages that templates get as values, because they depend on a value."""

from collections.abc import Mapping

from msgspec import Struct

from nbsweep.core.marks.model import ClearCause
from nbsweep.core.reasons.language import Language


class Words(Struct, frozen=True):
    """The words of one language."""

    no_name: str
    unknown_size: str
    cleared: Mapping[ClearCause | None, str]


WORDS: Mapping[Language, Words] = {
    Language.ENGLISH: Words(
        no_name="(no name)",
        unknown_size="size not known",
        cleared={
            ClearCause.USED: "it was used or changed",
            ClearCause.RENEWED: "its lease was renewed",
            ClearCause.TAGGED: "its tags were changed",
            ClearCause.EXEMPT: "an exemption keeps it",
            ClearCause.PROTECTED: "a protection keeps it",
            ClearCause.GONE: "it does not exist any more",
            ClearCause.POLICY_CHANGED: "the policy was changed",
            ClearCause.NO_LONGER_MATCHES: "the policy does not match it any more",
            None: "the policy does not match it any more",
        },
    ),
    Language.CHINESE: Words(
        no_name="（无名称）",
        unknown_size="大小未知",
        cleared={
            ClearCause.USED: "它已被使用或修改",
            ClearCause.RENEWED: "它的租期已续期",
            ClearCause.TAGGED: "它的标签已修改",
            ClearCause.EXEMPT: "已获得豁免",
            ClearCause.PROTECTED: "受保护规则保护",
            ClearCause.GONE: "它已不存在",
            ClearCause.POLICY_CHANGED: "策略已修改",
            ClearCause.NO_LONGER_MATCHES: "它不再符合策略",
            None: "它不再符合策略",
        },
    ),
}
