"""docs/howto/try-a-policy.md: every command prints what the page shows, at a cloud with a past; so does the picture."""

import pytest

from acceptance.quickstart import command_of, different_lines
from acceptance.try_policy import PAGE, PART, reading
from acceptance.try_policy_picture import COMMAND, PICTURE, drawn

# The sweeps of five months take place in it.
pytestmark = pytest.mark.timeout(400)


def test_every_command_prints_what_the_page_shows() -> None:
    """YAML is written to the configuration or to a file; what the clock says is fixed, so that even dates are the same."""
    problems, last, shown = [], "", ""
    with reading() as reader:
        for part in PART.finditer(PAGE.read_text(encoding="utf-8")):
            language, content = part["language"], part["content"]
            if part["days"]:
                reader.wait(int(part["days"]))
            elif language == "yaml":
                reader.write(content)
            elif language == "sh":
                shown, last = "", content
                for line in content.splitlines():
                    command = command_of(line)
                    shown += reader.run(command)
                    if command.line == COMMAND:
                        assert drawn(reader) == PICTURE.read_text(encoding="utf-8"), "make screenshots draws it anew"
            else:
                assert language == "text", language
                problems.append(different_lines(content.splitlines(), shown.splitlines(), last))
    if wrong := [problem for problem in problems if problem]:
        pytest.fail("\n\n".join(wrong))
