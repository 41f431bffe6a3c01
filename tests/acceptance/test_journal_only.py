"""Commands that only read the journal need neither credentials nor a cloud."""

import pytest

from acceptance.conftest import Simulate
from acceptance.support import ACCESS_KEY, SECRET_KEY, Desk, idle

COMMANDS = (["history"], ["status"], ["audit"], ["audit", "verify"], ["audit", "export"])


@pytest.fixture(name="swept")
def _swept(desk: Desk, simulate: Simulate) -> Desk:
    """Return the desk after a sweep, with credentials in variables that are not set any more, and no cloud."""
    cloud = simulate([idle("nb-1")])
    desk.write(cloud, target={"credentials": {"access_key": "${AK}", "secret_key": "${SK}"}})
    desk.environment |= {"AK": ACCESS_KEY, "SK": SECRET_KEY}
    ended = desk.sweep()
    assert ended.code == 0
    del desk.environment["AK"], desk.environment["SK"]
    desk.config.write_text(desk.config.read_text(encoding="utf-8").replace(cloud.url, "http://127.0.0.1:1"), encoding="utf-8")
    desk.environment["RUN"] = ended.run_id
    return desk


def test_they_need_no_credentials(swept: Desk) -> None:
    """Each of them, and `show` of the run."""
    for command in (*COMMANDS, ["show", swept.environment["RUN"]]):
        ended = swept.run(*command)
        assert (ended.code, ended.err) == (0, ""), command
        assert ended.out


@pytest.mark.parametrize("command", [["plan"], ["check"], ["explain", "nb-1"], ["run", "--yes"]], ids=lambda words: words[0])
def test_all_others_do(command: list[str], swept: Desk) -> None:
    """Exit 2, with the two variables and no third mistake."""
    ended = swept.run(*command)
    assert ended.code == 2
    assert [mistake["path"] for mistake in ended.error["mistakes"]] == [
        "targets[0].credentials.access_key",
        "targets[0].credentials.secret_key",
    ]
