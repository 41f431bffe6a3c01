"""`messages` in the configuration."""

from typing import Any

import pytest
from pydantic import ValidationError

from nbsweep.core.reasons.language import Language
from nbsweep.settings import Settings, problems

TARGET: dict[str, Any] = {"name": "lab", "region": "cn-north-4", "project_id": "0123456789abcdef0123456789abcdef"}


def settings(messages: Any) -> Settings:
    """Return settings with these messages."""
    rules = {"targets": [TARGET], "policies": [{"name": "p", "match": {"name": "x"}}]}
    return Settings.model_validate({**rules, "messages": messages})


@pytest.mark.parametrize(
    ("language", "languages"),
    [("en", (Language.ENGLISH,)), ("zh", (Language.CHINESE,)), ("both", (Language.CHINESE, Language.ENGLISH))],
)
def test_a_message_is_in_one_language_or_in_both(language: str, languages: tuple[Language, ...]) -> None:
    """In both, Chinese comes first."""
    assert settings({"language": language}).messages.languages == languages


def test_without_the_group_messages_are_in_english_by_our_templates() -> None:
    """The defaults."""
    assert settings({}).messages.languages == (Language.ENGLISH,)
    assert settings({}).messages.templates is None


def test_another_language_is_a_mistake() -> None:
    """It says which there are."""
    with pytest.raises(ValidationError) as caught:
        settings({"language": "fr"})
    [problem] = problems(caught.value)
    assert problem.message == "must be en or zh or both"
