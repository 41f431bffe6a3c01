"""The owners' file: what is read from YAML and from CSV, and how mistakes are told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbsweep.adapters.owners.file import OwnersFile, parse
from nbsweep.core.notices.addresses import comparable, is_address
from nbsweep.core.notices.contacts import Contact
from nbsweep.core.reasons.language import Language

YAML = """\
# Our people.
alice: alice@example.com
Bob: {email: bob@example.com, language: zh, channel: mail, name: 李博}
0123: {address: ou_123, channel: feishu}
yes:
  channel: ci-team
"""
CSV = """\
owner,email,address,language,channel,name
alice,alice@example.com,,,,
Bob,bob@example.com,,zh,mail,李博

0123,,ou_123,,feishu,
yes,,,,ci-team
"""
EXPECTED = {
    "alice": Contact("alice@example.com", "file"),
    "bob": Contact("bob@example.com", "file", "mail", Language.CHINESE, "李博"),
    "0123": Contact("ou_123", "file", "feishu"),
    "yes": Contact("", "file", "ci-team"),
}


def of_yaml(text: str, channels: frozenset[str] | None = None) -> OwnersFile:
    """Parse it as YAML."""
    return parse(text.encode(), is_csv=False, channels=channels)


def of_csv(text: str | bytes) -> OwnersFile:
    """Parse it as CSV."""
    return parse(text.encode() if isinstance(text, str) else text, is_csv=True)


def contacts(file: OwnersFile) -> dict[str, Contact]:
    """Return the contacts by their key."""
    return {key: entry.contact for key, entry in file.entries.items()}


def told(file: OwnersFile) -> list[str]:
    """Return the mistakes as people see them."""
    return [str(mistake) for mistake in file.mistakes]


def test_both_formats_say_the_same() -> None:
    """Keys are text as written, also where YAML would read another number or a truth."""
    assert contacts(of_yaml(YAML)) == contacts(of_csv(CSV)) == EXPECTED
    assert of_yaml(YAML).mistakes == of_csv(CSV).mistakes == ()


def test_each_entry_knows_its_line() -> None:
    """Counted from 1; empty lines count."""
    assert [entry.line for entry in of_yaml(YAML).entries.values()] == [2, 3, 4, 5]
    assert [entry.line for entry in of_csv(CSV).entries.values()] == [2, 3, 5, 6]


def test_csv_is_read_as_spreadsheets_write_it() -> None:
    """With a byte order mark, CRLF, spaces and capitals in the header, quotes, and without the last cells."""
    content = b'\xef\xbb\xbfOwner , Email,NAME\r\nalice,"alice@example.com","Lopez, Alice"\r\nbob,bob@example.com\r\n'
    assert contacts(of_csv(content)) == {
        "alice": Contact("alice@example.com", "file", name="Lopez, Alice"),
        "bob": Contact("bob@example.com", "file"),
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (CSV.encode("gbk"), "line 3: the file is not UTF-8 text; save it as UTF-8 (in a spreadsheet: `CSV UTF-8`); it seems"),
        (b"owner,email\nalice,\xff\xff@example.com\n", "line 2: the file is not UTF-8 text"),
        (CSV.encode("utf-16"), "the file is UTF-16; save it as UTF-8"),
        (b"", "line 1: the first line must name the columns, and one of them must be owner"),
        (b"alice,alice@example.com\n", "line 1: the first line must name the columns"),
        (b"owner;email\nalice;alice@example.com\n", "line 1: the columns are separated by semicolons; separate them by commas"),
        (b"owner\temail\n", "line 1: the columns are separated by tabs"),
        (b"owner,mail\n", "line 1: mail is not known; the columns are owner, email"),
        (b"owner,a@example.com\n", "line 1: a column or key is not known"),
        (b"owner,email,Email\n", "line 1: the column email is there twice"),
        (b'owner,email\nalice,"alice@example.com\n', "line 2: the file is not CSV"),
    ],
)
def test_a_csv_file_that_cannot_be_read_says_why(content: bytes, said: str) -> None:
    """It has one mistake and no entry."""
    file = of_csv(content)
    assert file.entries == {}
    [mistake] = told(file)
    assert mistake.startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty; it must hold a mapping of owners, such as `alice: {email: alice@example.com}`"),
        ("- alice", "line 1: the file must be a mapping of owners"),
        ("alice: a@example.com\nbob: {", "line 3: the file is not YAML here, or just before"),
        ("alice: \x07", "the file is not YAML: it holds a character that YAML does not allow"),
        ("a: b\n--- \nc: d", "line 2: the file is not YAML here, or just before"),
    ],
)
def test_a_yaml_file_that_cannot_be_read_says_why(text: str, said: str) -> None:
    """It has one mistake and no entry."""
    file = of_yaml(text)
    assert file.entries == {}
    [mistake] = told(file)
    assert mistake.startswith(said)


def test_a_file_that_is_nested_without_end_is_a_mistake() -> None:
    """And ends."""
    assert len(of_yaml("a: " + "[" * 100_000).mistakes) == 1


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("alice: {}", "must have an email, or an address and its channel"),
        ("alice:", "must have an email, or an address and its channel"),
        ("alice: {name: Alice}", "must have an email, or an address and its channel"),
        ("alice: nobody", "email must be one mail address, such as alice@example.com"),
        ("alice: 'Alice <alice@example.com>'", "email must be one mail address"),
        ("alice: 'a@example.com, b@example.com'", "email must be one mail address"),
        ("alice: {email: a@example.com, address: x, channel: y}", "has both email and address: give one of them"),
        ("alice: {address: ou_1}", "address needs its channel"),
        ('alice: {address: "a\\nb", channel: mail}', "address must be one line of at most 254 characters"),
        ("alice: {email: a@example.com, language: fr}", "language must be en or zh"),
        ("alice: {email: a@example.com, channel: 'a b'}", "channel must be the name of a channel"),
        ('alice: {email: a@example.com, name: "a\\u0085b"}', "name must be one line of at most 100 characters"),
        ("alice: {mail: a@example.com}", "mail is not known; there are email, address, language, channel, name"),
        ("alice: {b@example.com: a@example.com}", "a column or key is not known"),
        ("alice: {email: [a@example.com]}", "must be a key with one value"),
        ("alice: {email: a@example.com, email: b@example.com}", "email is given twice"),
        ("alice: [a@example.com]", "must be a mail address, or a mapping such as"),
        ("[a]: a@example.com", "the owner must be text"),
        ('"": a@example.com', "the owner must be an IAM name or id"),
        ('"a\\nb": a@example.com', "the owner must be an IAM name or id"),
        ("<<: {email: a@example.com}", "the owner must be text"),
    ],
)
def test_an_entry_with_a_mistake_is_told_with_its_line_and_the_others_stay(entry: str, said: str) -> None:
    """No value of the file is part of the message."""
    file = of_yaml(f"zoe: zoe@example.com\n{entry}\n")
    [mistake] = told(file)
    assert mistake.startswith(f"line 2: {said}")
    assert "@example.com" not in mistake.replace("alice@example.com", "")
    assert set(file.entries) == {"zoe"}


def test_a_row_with_too_many_cells_is_a_mistake() -> None:
    """An address with a comma may have been split."""
    assert told(of_csv("owner,email\nalice,a@example.com,b@example.com\n")) == [
        "line 2: has 3 cells, and the first line names 2 columns"
    ]


@pytest.mark.parametrize("again", ["alice: b@example.com", "ALICE: b@example.com", "alice: alice@example.com"])
def test_an_owner_who_is_given_twice_is_in_doubt(again: str) -> None:
    """Without regard to case; neither entry counts."""
    file = of_yaml(f"alice: alice@example.com\nbob: bob@example.com\n{again}\n")
    assert told(file) == ["line 3: the owner of line 1 is given again, without regard to case"]
    assert (set(file.entries), set(file.doubtful)) == ({"bob"}, {"alice"})


def test_composed_and_decomposed_accents_are_the_same_owner() -> None:
    """As the two kinds of keyboards write them."""
    assert len(of_yaml("ren\u00e9: a@example.com\nrene\u0301: b@example.com\n").mistakes) == 1


def test_a_channel_that_is_not_configured_is_a_mistake_where_channels_are_known() -> None:
    """With those that there are."""
    text = "alice: {email: a@example.com, channel: male}\n"
    assert told(of_yaml(text)) == []
    assert told(of_yaml(text, frozenset({"mail", "ops"}))) == [
        "line 1: channel must be the name of a channel of the configuration; there are mail, ops"
    ]
    assert told(of_yaml(text, frozenset()))[0].endswith("there are no channels")


def test_many_mistakes_are_shown_in_part() -> None:
    """The first three, and how many there are beside them."""
    file = of_yaml("".join(f"a{number}: x\n" for number in range(5)))
    assert file.describe_mistakes().endswith("without spaces; and 2 more")


CELLS = st.text(alphabet=st.one_of(st.sampled_from('a@.,"\r\n\t ;<>'), st.characters(codec="utf-8")), max_size=12)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), max_size=4))
def test_no_row_makes_an_email_that_is_none_or_an_address_of_two_lines(rows: list[tuple[str, str, str, str]]) -> None:
    """Whatever is in the cells; and nothing but a mistake comes of anything else."""
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    file = of_csv("owner,email,address,channel\n" + "\n".join(quoted) + "\n")
    for entry in file.entries.values():
        address = entry.contact.address
        assert address == "" or (entry.contact.channel and address.isprintable()) or is_address(address)
    keys = [comparable(row[0]) for row in rows if any(cell.strip() for cell in row)]
    assert len(file.entries) <= len(set(keys))


@given(st.binary(max_size=60), st.booleans())
def test_any_bytes_end_in_entries_and_mistakes(content: bytes, is_csv: bool) -> None:  # noqa: FBT001  # hypothesis gives it
    """And never in another error."""
    parse(content, is_csv=is_csv)
