"""What counts as a mail address, and which names may become one."""

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nbsweep.core.notices.addresses import address_of, comparable, is_address, is_domain

LETTERS = frozenset(string.ascii_letters + string.digits)
HOSTILE = st.text(
    alphabet=st.one_of(st.sampled_from("ab@. ,;<>\"'\\\r\n\t\0-_+%()[]:\u200b\u202e\uff20\u3002é"), st.characters())
)


@pytest.mark.parametrize(
    "text",
    [
        "alice@example.com",
        "a@b.cn",
        "alice.lopez+notebooks@mail.example.co.uk",
        "o'brien@example.com",
        "_service@xn--fsqu00a.example",
        "1@163.com",
        "a" * 64 + "@example.com",
    ],
)
def test_a_plain_address_is_an_address(text: str) -> None:
    """As people write it."""
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alice",
        "@example.com",
        "alice@",
        "alice@example",
        "alice@127.0.0.1",
        "alice@[127.0.0.1]",
        "Alice <alice@example.com>",
        "alice@example.com,bob@example.com",
        "alice@example.com bob@example.com",
        "alice@example.com;bob@example.com",
        "alice@example.com\n",
        "alice@example.com\r\nBcc: eve@evil.test",
        " alice@example.com",
        "alice@@example.com",
        "alice@evil.test@example.com",
        '"alice@evil.test"@example.com',
        ".alice@example.com",
        "alice.@example.com",
        "ali..ce@example.com",
        "-oQ/tmp@example.com",
        "alice@-example.com",
        "alice@example-.com",
        "alice@example..com",
        "alice@example.com.",
        "al\u0456ce@example.com",
        "alice\uff20example.com",
        "alice@ex\u3002ample.com",
        "alice@example.com\u200b",
        "a" * 65 + "@example.com",
        "a@" + "b" * 64 + ".com",
        "a@" + "b." * 130 + "com",
    ],
)
def test_what_is_not_one_plain_address_is_none(text: str) -> None:
    """Names, lists, quotes, line ends, letters that look alike, and what is too long."""
    assert not is_address(text)


@given(HOSTILE)
@example("alice\x85@example.com")
def test_no_text_that_is_taken_holds_anything_but_ascii_signs_and_one_at(text: str) -> None:
    """Whatever it is made of."""
    if is_address(text):
        local, _, domain = text.partition("@")
        assert "@" not in domain
        assert all("!" <= character <= "~" for character in text)
        assert not set(text) & set(' ,;:<>()[]"\\\r\n\t')
        assert set(domain) <= LETTERS | set(".-")
        assert local
        assert len(text) <= 254


@given(HOSTILE)
@example("alice@evil.test")
@example("alice@evil.test\n")
def test_a_name_leads_to_its_own_domain_or_nowhere(name: str) -> None:
    """And the mailbox is called exactly like the owner."""
    address = address_of(name, "example.com")
    if address is not None:
        assert address == f"{name}@example.com"
        assert address.count("@") == 1
        assert set(name) <= LETTERS | set("._-")


@pytest.mark.parametrize("name", ["alice", "alice.lopez", "li_wei-2", "Alice", "_svc"])
def test_a_usual_name_becomes_an_address(name: str) -> None:
    """Unchanged."""
    assert address_of(name, "example.com") == f"{name}@example.com"


@pytest.mark.parametrize("name", ["", "alice lopez", "alice@corp", "李伟", "alice+x", "a..b", "-x", "x-", ".x", "x.", "a" * 65])
def test_an_unusual_name_does_not(name: str) -> None:
    """It might reach somebody else, or nobody."""
    assert address_of(name, "example.com") is None


def test_a_domain_has_two_labels_and_is_no_number() -> None:
    """Internal names of one label are not reached from everywhere."""
    assert is_domain("example.com")
    assert not any(map(is_domain, ("localhost", "10.0.0.1", "", "example.com\n", "ex ample.com", "@example.com")))


def test_names_are_compared_without_regard_to_case_and_form() -> None:
    """Composed and decomposed accents are the same; other letters are not."""
    assert comparable("Ren\u00e9") == comparable("RENE\u0301") == comparable(" ren\u00e9 ")
    assert comparable("rene") != comparable("ren\u00e9")
