"""`messages`: the language and the templates of what is told to people."""

from typing import Literal

from nbsweep.core.reasons.language import Language
from nbsweep.settings.fields.base import Group
from nbsweep.settings.fields.paths import FilePath


class MessagesSettings(Group):
    """How messages to owners and operators are written."""

    language: Literal["en", "zh", "both"] = "en"
    """English, Chinese, or both in one message; an owner's entry in the file of `owners` may name another language."""
    templates: FilePath | None = None
    """A folder of your own templates, such as en/digest.txt, which take the place of those of nbsweep; see Messages."""

    @property
    def languages(self) -> tuple[Language, ...]:
        """The languages of a message, in their order."""
        return (Language.CHINESE, Language.ENGLISH) if self.language == "both" else (Language(self.language),)
