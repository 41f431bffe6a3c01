"""`check` as people and programs get it."""

import json

import pytest

from nbsweep.cli.commands.check import exit_of_checks
from nbsweep.cli.exits import Exit
from nbsweep.cli.text import json_text
from nbsweep.cli.views.check import check_view
from nbsweep.core.checks import Check, Grade, not_tried, passed, warned
from nbsweep.documents.check import check_document
from rendering import rendered

GOOD = passed("configuration", "nbsweep.yaml: mode dry-run")
WARNED = warned("clock", "10 minutes behind", "Set it.")
BROKEN = Check("journal", Grade.FAILED, "it is full", "Make room.")
DENIED = Check("delete", Grade.FAILED, "not allowed", "Grant it.", "lab", not_allowed=True)


def shown(*checks: Check) -> str:
    """Return the text of the checks."""
    return rendered(check_view(checks))


@pytest.mark.parametrize(
    ("checks", "code"),
    [
        ((GOOD, WARNED, not_tried("listing", "nothing there")), Exit.DONE),
        ((GOOD, BROKEN), Exit.UNEXPECTED),
        ((GOOD, DENIED), Exit.NOT_ALLOWED),
        ((BROKEN, DENIED, WARNED), Exit.NOT_ALLOWED),
    ],
)
def test_the_exit_code_is_that_of_the_gravest(checks: tuple[Check, ...], code: Exit) -> None:
    """A warning is none, and what was not tried has its reason elsewhere."""
    assert exit_of_checks(checks) is code


def test_a_document_has_a_line_for_each_check() -> None:
    """With the same five keys each; what is not about a target has none."""
    document = json.loads(json_text(check_document([GOOD, DENIED])))
    assert (document["well"], document["counts"]) == (False, {"ok": 1, "failed": 1})
    assert document["checks"] == [
        {
            "name": "configuration",
            "target": None,
            "status": "ok",
            "finding": "nbsweep.yaml: mode dry-run",
            "advice": None,
        },
        {"name": "delete", "target": "lab", "status": "failed", "finding": "not allowed", "advice": "Grant it."},
    ]


def test_a_table_ends_with_what_to_do_the_gravest_first() -> None:
    """Then what is only worth a thought."""
    text = shown(passed("notebooks", "none", "Look elsewhere."), WARNED, DENIED)
    assert "1 ok, 1 warning, 1 failed." in text
    places = [text.index(words) for words in ("What to do:", "Grant it.", "Set it.", "Worth a thought:", "Look elsewhere.")]
    assert places == sorted(places)
    assert "lab, delete: Grant it." in text


def test_where_all_is_ok_there_is_nothing_to_do() -> None:
    """One line says so."""
    text = shown(GOOD)
    assert "All 1 checks are ok." in text
    assert "What to do" not in text


def test_nothing_that_a_cloud_says_acts_on_a_terminal() -> None:
    """Neither control characters nor markup."""
    text = shown(passed("address", "a\x1b[31m[bold]x[/]"))
    assert "\x1b" not in text
    assert "[bold]x[/]" in text
