"""What people change on the pages, with and without JavaScript, and what a service on a simulated cloud makes of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from acceptance.support import eventually, idle_fleet
from browser.conftest import Windows
from browser.watching import Watched
from browser.world import World

Changing = Callable[..., World]
SLOW = {"deletion_median_s": 3.0}
script = pytest.mark.parametrize("has_script", [True, False], ids=["with-script", "without-script"])


def flash(window: Watched) -> str:
    """Return the message of the page after a change."""
    found = window.tab.locator(".flash")
    found.wait_for()
    text: str = found.inner_text()  # Any, where playwright is not installed
    return text


def last_day(days: int) -> str:
    """Return a day as a field for dates takes it."""
    return f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}"


@script
def test_a_target_is_paused_and_resumed(changing: Changing, window: Windows, has_script: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    """The page says who paused it and why, and then offers to resume it; the audit trail has both, with the way."""
    world = changing(*idle_fleet(2))
    opened = window(world, "admin", java_script_enabled=has_script)
    card = opened.tab.locator("section.card", has_text="lab")
    card.get_by_text("Pause…").click()
    card.get_by_label("Why, for the record").fill("<b>moving</b> house")
    card.get_by_role("button", name="Pause", exact=True).click()
    flash(opened)
    assert "admin-wei (page)" in card.locator(".note").inner_text()
    assert "<b>moving</b> house" in card.locator(".note").inner_text()
    assert card.get_by_text("Sweep now…").count() == 0
    card.get_by_role("button", name="Resume").click()
    flash(opened)
    card.get_by_text("Sweep now…").wait_for()
    opened.open("/audit")
    assert opened.tab.locator("main").inner_text().count("admin-wei (page)") >= 2
    opened.assert_quiet()


@script
def test_a_sweep_is_started_and_watched(changing: Changing, window: Windows, has_script: bool) -> None:  # noqa: FBT001
    """With the script the page follows by itself until all are deleted; without it, whenever it is loaded again."""
    world = changing(*idle_fleet(12), timing=SLOW)
    opened = window(world, "admin", java_script_enabled=has_script)
    card = opened.tab.locator("section.card", has_text="lab")
    if has_script:
        opened.tab.evaluate("window.neverLeft = true")
    card.get_by_text("Sweep now…").click()
    card.get_by_role("button", name="Sweep now").click()
    flash(opened)
    if has_script:
        opened.tab.evaluate("window.neverLeft = true")
    seen: set[str] = set()

    def is_finished() -> bool:
        if not has_script:
            opened.tab.reload()
        text = opened.tab.locator("#fleet").inner_text()
        seen.update(line for line in text.splitlines() if line)
        return "Deleted\n12" in text and "Sweeping now" not in text

    eventually(is_finished, "the page says that all are deleted")
    assert len(world.cloud.gone()) == 12
    assert "Sweeping now" in seen
    if has_script:
        assert opened.tab.evaluate("window.neverLeft")
    opened.assert_quiet()


@script
def test_a_plan_is_made_approved_and_carried_out(changing: Changing, window: Windows, has_script: bool) -> None:  # noqa: FBT001
    """An approver leaves one notebook out: exactly the others are deleted, and the trail says who had it done."""
    world = changing(*idle_fleet(4))
    opened = window(world, "approver", java_script_enabled=has_script)
    main = opened.tab.locator("main")
    opened.tab.get_by_role("link", name="Plan", exact=True).click()
    main.get_by_role("button", name="Make a plan lab").click()
    flash(opened)
    main.locator("tr", has_text="nb-002").get_by_role("button", name="Exclude from this plan").click()
    flash(opened)
    main.get_by_role("button", name="Approve the deletion of all 3 notebooks").click()
    flash(opened)
    assert world.cloud.writes() == []
    main.get_by_role("button", name="Delete up to 3 notebooks").click()
    flash(opened)
    eventually(lambda: world.cloud.gone() == {"nb-000", "nb-001", "nb-003"}, "the three are gone")
    opened.open("/audit")
    assert "approver-wei (page)" in main.inner_text()
    opened.assert_quiet()


@script
def test_a_notebook_is_exempted_and_its_exemption_revoked(changing: Changing, window: Windows, has_script: bool) -> None:  # noqa: FBT001
    """A form with a mistake says which field is wrong and keeps what was typed; the exemption keeps the notebook in a sweep."""
    world = changing(*idle_fleet(2))
    opened = window(world, "admin", java_script_enabled=has_script)
    main = opened.tab.locator("main")
    opened.open("/notebooks/nb-000")
    main.get_by_role("link", name="Keep it").first.click()
    main.get_by_label("Last day").fill(last_day(20))
    main.get_by_label("Reason").fill("   ")
    main.get_by_role("button", name="Keep", exact=True).click()
    main.get_by_role("alert").wait_for()
    assert main.locator("[aria-invalid]").get_attribute("name") == "reason"
    assert main.get_by_label("Last day").input_value() == last_day(20)
    opened.assert_quiet()
    main.get_by_label("Reason").fill("the <i>paper</i> is due")
    main.get_by_role("button", name="Keep", exact=True).click()
    flash(opened)
    assert world.desk.run("sweep", "lab").code == 0
    eventually(lambda: world.cloud.gone() == {"nb-001"}, "the other one is gone")
    opened.open("/exemptions")
    assert "the <i>paper</i> is due" in main.inner_text()
    main.locator("summary", has_text="Revoke").click()
    main.get_by_role("button", name="Revoke", exact=True).click()
    flash(opened)
    assert "No exemption is in force" in main.inner_text()
    assert world.desk.run("sweep", "lab").code == 0
    eventually(lambda: world.cloud.gone() == {"nb-000", "nb-001"}, "no exemption keeps it")


@script
def test_a_wrong_token_is_told_on_the_form(changing: Changing, window: Windows, has_script: bool) -> None:  # noqa: FBT001
    """Then the right one leads to the page that was asked for; the browser keeps the session, and no script can read it."""
    world = changing()
    opened = window(world, java_script_enabled=has_script)
    opened.open("/exemptions/new")
    opened.tab.locator("#token").fill("no token at all")
    opened.tab.locator("main button").click()
    opened.tab.locator("#problem").wait_for()
    opened.assert_quiet()
    opened.tab.locator("#token").fill("token-of-the-admin")
    opened.tab.locator("main button").click()
    opened.tab.wait_for_url("**/exemptions/new")
    [session] = [each for each in opened.tab.context.cookies() if "session" in each["name"]]
    assert (session["httpOnly"], session["sameSite"]) == (True, "Lax")
    opened.assert_quiet()
