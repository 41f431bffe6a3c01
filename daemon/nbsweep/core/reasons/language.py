"""The languages of messages and pages."""

from enum import StrEnum


class Language(StrEnum):
    """The languages of messages and pages."""

    ENGLISH = "en"
    CHINESE = "zh"
