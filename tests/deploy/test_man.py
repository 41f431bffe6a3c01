"""The manual page, read by groff."""

from deploy.support import ROOT, call

PAGE = ROOT / "deploy" / "share" / "man" / "man1" / "nbsweep.1"


def test_the_manual_page_is_read_without_a_warning() -> None:
    """With all warnings that groff has; the sections are those of manual pages."""
    read = call("groff", "-ww", "-man", "-Tascii", "-P-c", PAGE)
    assert (read.returncode, read.stderr) == (0, "")
    headings = [line for line in read.stdout.splitlines() if line and not line.startswith((" ", "NBSWEEP(1)", "nbsweep "))]
    assert list(map(without_bold, headings)) == [
        "NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "EXIT STATUS", "ENVIRONMENT", "FILES"
    ]  # fmt: skip


def without_bold(line: str) -> str:
    """Return a line without overprinting, by which a terminal of old showed bold letters."""
    return "".join(each for place, each in enumerate(line) if line[place + 1 : place + 2] != "\b" and each != "\b")
