"""`notify preview` with the real command: the messages can be looked at, and a template that cannot be used is an error."""

import re
from pathlib import Path

from acceptance.support import Desk, Ended

CONFIGURATION = """
journal: sqlite:///{folder}/journal.db
targets: [{{name: research, region: cn-north-4}}]
policies: [{{name: failed, match: {{status: ERROR, idle_over: 1d}}}}]
calendar: {{timezone: Asia/Shanghai}}
messages: {{language: zh, templates: {folder}/templates}}
"""


def nbsweep(folder: Path, *arguments: str) -> Ended:
    """Run nbsweep with the configuration of a folder."""
    desk = Desk(folder)
    desk.config.write_text(CONFIGURATION.format(folder=folder), encoding="utf-8")
    return desk.run(*arguments)


def test_a_message_is_shown_by_the_templates_of_the_configuration(tmp_path: Path) -> None:
    """In the configured language, or in another one; nothing is sent, and no journal is made."""
    (tmp_path / "templates" / "en").mkdir(parents=True)
    (tmp_path / "templates" / "en" / "digest.txt").write_text(
        "{% for item in items %}{{ item.name }}: {{ item.deadline }}\n{% endfor %}", encoding="utf-8"
    )
    chinese = nbsweep(tmp_path, "notify", "preview")
    assert chinese.code == 0, chinese.err
    assert "2026年12月8日 星期二 11:00（Asia/Shanghai）" in chinese.out
    english = nbsweep(tmp_path, "notify", "preview", "--language", "en")
    assert "\nexp-resnet-50: Tuesday 2026-12-08 11:00 (Asia/Shanghai)\n" in english.out
    page = nbsweep(tmp_path, "notify", "preview", "--language", "both", "--format", "html")
    assert page.out.startswith("<!doctype html>")
    event = nbsweep(tmp_path, "notify", "preview", "--event", "channel.failed", "--format", "markdown")
    assert event.out.startswith("[nbsweep] 渠道 ops 不接收消息\n")
    assert not (tmp_path / "journal.db").exists()


def test_a_template_that_cannot_be_used_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    """Before anything is done, and for `validate` too; the file and the line are named."""
    (tmp_path / "templates" / "zh").mkdir(parents=True)
    (tmp_path / "templates" / "zh" / "digest.md").write_text("\n{{ nmae }}", encoding="utf-8")
    for arguments in (("notify", "preview"), ("plan",), ("serve",), ("validate",)):
        ended = nbsweep(tmp_path, *arguments)
        assert ended.code == 2, ended.out
        said = ended.out + ended.err
        assert "zh/digest.md" in said
        assert "'nmae' is undefined" in said
        assert re.search(r"line\W+2\b", said)
