"""Templates of the user's own: they take the place of ours, and a mistake in them is found when they are read."""

import re
from pathlib import Path

import pytest

from letters import digest, line
from nbsweep.adapters.messages.own import own_templates
from nbsweep.adapters.messages.renderer import Renderer
from nbsweep.core.errors import ConfigurationError
from nbsweep.core.reasons.language import Language

GOOD = "{% for item in items %}{{ item.name }} {{ item.deadline_iso }}\n{% endfor %}"
MANUAL = Path(__file__).parents[4] / "docs" / "reference" / "messages.md"


def folder_of(base: Path, files: dict[str, str]) -> Path:
    """Write a folder of templates."""
    for name, text in files.items():
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return base


def test_a_template_of_ones_own_takes_the_place_of_ours(tmp_path: Path) -> None:
    """The other forms stay; hidden files are no templates, and a template may include a helper."""
    folder = folder_of(tmp_path, {"en/digest.txt": "{% include '_head.txt' %}" + GOOD, "_head.txt": "Yours: ", ".git/x": "{{"})
    letter = Renderer(own_templates(folder), (Language.ENGLISH,), "UTC").digest_letter(digest(line(1)))
    assert letter.text == "Yours: exp-1 2026-12-08T09:00+08:00"
    assert "will be deleted" in letter.html


def test_the_example_of_the_manual_can_be_used(tmp_path: Path) -> None:
    """It shows every name and every deadline."""
    [example] = re.findall(r"```jinja\n(.*?)```", MANUAL.read_text(encoding="utf-8"), re.DOTALL)
    templates = own_templates(folder_of(tmp_path, {"en/digest.md": example}))
    letter = Renderer(templates, (Language.ENGLISH,), "UTC").digest_letter(digest(line(1)))
    assert letter.markdown == (
        "- **exp-1** of alice goes on Tuesday 2026-12-08 09:00 (Asia/Shanghai): policy idle: status STOPPED, idle 21d 4h (14d)"
    )


@pytest.mark.parametrize(
    ("name", "text", "mistake"),
    [
        ("en/digest.txt", "one\n{{ two", r"line 2: en/digest.txt: unexpected end of template"),
        ("zh/digest.html", "one\ntwo\n{% fi %}", r"line 3: zh/digest.html: Encountered unknown tag 'fi'"),
        ("en/digest.txt", "one\n{{ nmae }}", r"line 2: en/digest.txt: 'nmae' is undefined"),
        (
            "en/digest.md",
            "{% for item in items %}\n{{ item.nmae }}{% endfor %}",
            r"line 2: en/digest.md: 'ItemView object' has no attribute 'nmae'",
        ),
        ("en/digest.txt", "{% include 'nope.txt' %}", r"line 1: en/digest.txt: there is no template nope.txt"),
        ("en/operator.txt", "{{ 1 / (notebooks - 312) }}", r"line 1: en/operator.txt: division by zero"),
        ("en/digest.txt", "{{ items.__class__ }}", r"line 1: en/digest.txt: access to attribute '__class__' .* is unsafe"),
        ("en/digest.html", "{{ recipient|safe }}", r"line 1: en/digest.html: No filter named 'safe'"),
        ("en/digset.txt", GOOD, r"en/digset.txt: is not the name of a template; did you mean en/digest.txt\?"),
        ("en/digest.subject.txt", " ", r"en/digest.subject.txt: the subject is empty for some messages"),
        ("zh/operator.md", "", r"zh/operator.md: says nothing about sweep.refused"),
        ("layout.html", "{{ subject }}", r"layout.html: does not show what is told"),
        (
            "en/digest.txt",
            "{% for item in items %}{{ item.id }} {{ item.deadline }}{% endfor %}",
            r"en/digest.txt: does not show the name of every notebook: .* of the kind announce",
        ),
        (
            "zh/digest.md",
            "{% for item in items %}{{ item.name }}{% endfor %}",
            r"zh/digest.md: does not show the deadline of every notebook: .* of the kind remind",
        ),
        # Only the first ten are shown.
        (
            "en/digest.txt",
            GOOD.replace("in items", "in items[:10]"),
            r"en/digest.txt: does not show the name of every notebook: .* of the kind deleted",
        ),
    ],
)
def test_a_mistake_is_named_with_its_file_and_line(tmp_path: Path, name: str, text: str, mistake: str) -> None:
    """When the templates are read, before anybody is told anything."""
    with pytest.raises(ConfigurationError) as caught:
        own_templates(folder_of(tmp_path, {name: text}))
    assert caught.value.source == str(tmp_path)
    assert any(re.match(mistake, str(each)) for each in caught.value.mistakes), str(caught.value)


def test_every_mistake_is_named(tmp_path: Path) -> None:
    """Not only the first."""
    with pytest.raises(ConfigurationError) as caught:
        own_templates(
            folder_of(tmp_path, {"en/digest.txt": "{{ a }}", "zh/digest.txt": "\n{{ b }}", "en/digest.html": "{{ c }}"})
        )
    assert {str(each) for each in caught.value.mistakes} == {
        "line 1: en/digest.txt: 'a' is undefined",
        "line 2: zh/digest.txt: 'b' is undefined",
        "line 1: en/digest.html: 'c' is undefined",
    }


def test_a_folder_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    """It does not mean that our own templates are used."""
    with pytest.raises(ConfigurationError, match="there is no such folder"):
        own_templates(tmp_path / "nope")


def test_a_file_that_cannot_be_a_template_is_a_mistake(tmp_path: Path) -> None:
    """It is no text, or far too long."""
    folder_of(tmp_path, {"en/digest.txt": "x" * 300_000})
    (tmp_path / "en" / "digest.md").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError) as caught:
        own_templates(tmp_path)
    assert [str(each) for each in caught.value.mistakes] == [
        "en/digest.md: is not UTF-8 text; save it as UTF-8",
        "en/digest.txt: is larger than 262144 bytes",
    ]
