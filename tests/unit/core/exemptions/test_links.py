import hmac
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbsweep.core.exemptions.links import KeepLink, keep_link, read_link, sign_link

KEY, OTHER = b"k" * 32, b"o" * 32
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINK = keep_link("0123456789abcdef0123", NOON - timedelta(days=200), NOON + timedelta(days=21))
TOKEN = sign_link(LINK, KEY)


@given(
    mark_id=st.text(max_size=40),
    created_at=st.datetimes(timezones=st.just(UTC)),
    expires_at=st.datetimes(timezones=st.just(UTC)),
    key=st.binary(min_size=32, max_size=64),
)
def test_what_was_signed_is_read(mark_id: str, created_at: datetime, expires_at: datetime, key: bytes) -> None:
    """In a text that an address can hold as it is."""
    link = keep_link(mark_id, created_at, expires_at)
    token = sign_link(link, key)
    assert set(token) <= {*ascii_letters, *digits, "-", "_", "."}
    if len(token) <= 512:
        assert read_link(token, [key]) == link
        assert (link.created_at, link.expires_at) == (created_at, expires_at)


@pytest.mark.parametrize("place", range(len(TOKEN)))
def test_any_altered_letter_is_refused(place: int) -> None:
    """Also the last one, whose lowest bits base64 does not use."""
    for letter in {*ascii_letters, *digits, *"-_.=+/ "} - {TOKEN[place]}:
        assert read_link(f"{TOKEN[:place]}{letter}{TOKEN[place + 1 :]}", [KEY]) is None


@given(token=st.text(max_size=200) | st.text(alphabet=TOKEN, max_size=200))
def test_any_other_text_is_refused(token: str) -> None:
    """Whatever it holds."""
    assert (read_link(token, [KEY]) is not None) == (token == TOKEN)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        TOKEN[:-1],
        TOKEN[1:],
        f"{TOKEN}=",
        f"{TOKEN}.",
        f".{TOKEN}",
        TOKEN.replace(".", ""),
        TOKEN.swapcase(),
        TOKEN * 5,
    ],
)
def test_a_cut_or_longer_token_is_refused(token: str) -> None:
    """There is one spelling."""
    assert read_link(token, [KEY]) is None


def test_the_keys_of_a_rotation_are_all_read() -> None:
    """A token of a key that was taken out is refused, and so is any without a key."""
    assert read_link(TOKEN, [OTHER, KEY]) == LINK
    assert read_link(TOKEN, [OTHER]) is None
    assert read_link(TOKEN, []) is None


def test_the_content_is_signed_for_this_purpose() -> None:
    """A signature of the content alone, which the same key may have given for something else, is refused."""
    content = TOKEN.partition(".")[0]
    plain = urlsafe_b64encode(hmac.digest(KEY, content.encode(), sha256)).rstrip(b"=").decode()
    assert read_link(f"{content}.{plain}", [KEY]) is None


def test_a_link_is_short_enough_for_a_line_of_a_mail() -> None:
    """Mail programs cut lines of more than 998 characters, and some people copy by hand."""
    assert len(TOKEN) < 150
    assert isinstance(read_link(TOKEN, [KEY]), KeepLink)
