"""Letters for operators: one event each, cut to the size of the channel."""

import pytest
from msgspec.structs import replace

from letters import EXPECTED, RENDERER, Scales, Tree
from nbsweep.adapters.messages.renderer import Renderer
from nbsweep.adapters.messages.samples import HOSTILE_NAMES, hostile_notices, sample_notices
from nbsweep.core.notices.operators import OperatorEvent, UntoldOwner
from nbsweep.core.reasons.language import Language

LARGE = Scales(limit_bytes=100_000)
NOTICES = {notice.event: notice for notice in sample_notices()}


@pytest.mark.parametrize("language", Language)
def test_each_event_says_what_was_reviewed(language: Language) -> None:
    """All events, in text and Markdown."""
    renderer = Renderer(RENDERER.templates, (language,), "Asia/Shanghai")
    letters = [renderer.operator_letter(NOTICES[event], event.value, LARGE) for event in OperatorEvent]
    shown = "\n".join(f"{each.subject}\n\n{each.text}\n\n{each.markdown}\n" for each in letters)
    assert shown == (EXPECTED / f"operator.{language.value}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", Language)
def test_each_event_says_the_same_in_html(language: Language) -> None:
    """The problem and the advice are in it, and it needs nothing from elsewhere."""
    renderer = Renderer(RENDERER.templates, (language,), "Asia/Shanghai")
    for notice in NOTICES.values():
        tree = Tree(renderer.operator_letter(notice, "key", LARGE).html)
        assert notice.problem in "".join(tree.texts)
        assert notice.advice in "".join(tree.texts)
        assert not {"script", "img", "link", "style"} & {element[0] for element in tree.elements}


def test_hostile_texts_stay_texts() -> None:
    """Whatever the event."""
    for notice in hostile_notices():
        letter = RENDERER.operator_letter(notice, "key", LARGE)
        assert letter.subject.isprintable()
        assert {element[0] for element in Tree(letter.html).elements} <= {
            "declaration", *(f"{slash}{tag}" for slash in ("", "/") for tag in ("html", "head", "meta", "title", "body", "div", "p", "h2", "h3", "table", "tr", "th", "td", "ul", "li", "code", "time")),  # noqa: E501
        }  # fmt: skip
        assert "@all" not in letter.markdown
        assert HOSTILE_NAMES[0] not in letter.markdown


def test_too_many_owners_are_counted_instead_of_listed() -> None:
    """The letter fits, and says how many owners it leaves out."""
    owners = tuple(UntoldOwner(f"owner-{number}", "no part of owners knows them", 1) for number in range(500))
    notice = replace(NOTICES[OperatorEvent.MARKS_UNTOLD], owners=owners, notebooks=500)
    letter = RENDERER.operator_letter(notice, "key", Scales(limit_bytes=4_000))
    assert "owner-4 " in letter.text
    assert "owner-5 " not in letter.text
    assert "and 495 more" in letter.text


def test_the_key_is_that_of_the_event() -> None:
    """Once for each cause: the same event has the same key, whatever it says now."""
    notice = NOTICES[OperatorEvent.SWEEP_FAILED]
    first, again, other = (
        RENDERER.operator_letter(notice, "cause-1", LARGE),
        RENDERER.operator_letter(replace(notice, problem="again"), "cause-1", LARGE),
        RENDERER.operator_letter(notice, "cause-2", LARGE),
    )
    assert first.key == again.key
    assert first.key != other.key
