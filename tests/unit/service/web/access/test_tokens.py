import os
from pathlib import Path

import pytest

from nbsweep.core.errors import ConfigurationError
from nbsweep.service.web.access.tokens import Role, TokenFile, Tokens, read_token
from unit.service.web.support import TOKEN, VIEWER_TOKEN, token_file, viewer_file


@pytest.mark.parametrize(
    ("text", "mode", "problem"),
    [
        ("", 0o600, "is empty"),
        (" \n", 0o600, "is empty"),
        ("two words", 0o600, "must hold one word"),
        ("a" * 4097, 0o600, "must hold one word"),
        ("t\u00f6ken", 0o600, "must hold one word"),
        (TOKEN, 0o604, "others on this machine"),
        (TOKEN, 0o602, "others on this machine"),
    ],
)
def test_a_token_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str, mode: int, problem: str) -> None:
    """With a sentence that never holds what is in it."""
    path = token_file(tmp_path, text, mode)
    with pytest.raises(ConfigurationError, match=problem) as caught:
        read_token(path)
    assert f"service.api_token_file: {path}" in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_a_token_file_may_be_for_a_group(tmp_path: Path) -> None:
    """Who deploys it gives it to the service's group; only others are kept out. Line ends around it count for nothing."""
    assert read_token(token_file(tmp_path, f"\n{TOKEN}\r\n", 0o640)) == TOKEN.encode()


def test_what_is_no_file_is_no_token_file(tmp_path: Path) -> None:
    """Nothing there, a directory, or a pipe that nobody writes into; none of them makes it wait."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("missing", "", "pipe"):
        with pytest.raises(ConfigurationError, match=r"service\.api_token_file"):
            read_token(tmp_path / name)


def test_each_token_has_its_role(tmp_path: Path) -> None:
    """What is not a whole token has none."""
    tokens = Tokens([TokenFile(token_file(tmp_path)), viewer_file(tmp_path)])
    admin, viewer = tokens.find(TOKEN.encode()), tokens.find(VIEWER_TOKEN.encode())
    assert (admin and admin.role, viewer and viewer.role) == (Role.ADMIN, Role.VIEWER)
    for other in ("", TOKEN[:-1], TOKEN + VIEWER_TOKEN, VIEWER_TOKEN.upper()):
        assert tokens.find(other.encode()) is None


def test_one_token_in_two_files_is_a_mistake(tmp_path: Path) -> None:
    """It would be open which role it has. The error names the key and the file, and not the token."""
    one, other = token_file(tmp_path), viewer_file(tmp_path)
    other.path.write_text(TOKEN)
    with pytest.raises(ConfigurationError, match=r"api_tokens\[0\]\.file: .*/viewer-token holds the same token") as caught:
        Tokens([TokenFile(one), other])
    assert TOKEN not in str(caught.value)


def test_the_error_of_a_listed_file_names_its_place(tmp_path: Path) -> None:
    """The key of the configuration, with its number in the list."""
    with pytest.raises(ConfigurationError, match=r"service\.api_tokens\[3\]\.file: .* cannot be read"):
        Tokens([TokenFile(tmp_path / "missing", Role.VIEWER, "api_tokens[3].file")])
