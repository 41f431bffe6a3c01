"""`holdout`: a share is spared, shown, and deleted when its time is over."""

import time

from acceptance.conftest import Simulate
from acceptance.support import Desk, idle


def test_a_share_is_spared_until_its_time_is_over(simulate: Simulate, desk: Desk) -> None:
    """By `printf holdout:nb1 | sha256sum`, nb1 and nb5 are the tenth of these notebooks."""
    cloud = simulate([idle(f"nb{number}", days=20) for number in range(1, 7)])
    brakes = {"max_share": "100%", "max_fleet_drop": None}
    desk.write(cloud, holdout={"share": "10%", "for": "3s"}, brakes=brakes)
    assert desk.run("plan", "--format", "json").document["kept"] == {"held-out": 2}
    run = desk.run("run", "--yes", "--format", "json").document
    assert {result["id"] for result in run["results"]} == {"nb2", "nb3", "nb4", "nb6"}
    [shown] = [row for row in desk.run("list", "--format", "json").document["notebooks"] if row["id"] == "nb1"]
    assert shown["verdict"] == "keep"
    assert "held out until" in shown["reason"]
    explained = desk.run("explain", "nb1").out
    assert "held out until" in explained
    assert "holdout would have to end" in explained

    time.sleep(3)
    again = desk.run("run", "--yes", "--format", "json").document
    assert {result["id"]: result["outcome"] for result in again["results"]} == {"nb1": "deleted", "nb5": "deleted"}

    found = desk.run("backtest", "--format", "json").document["reality"]
    assert (found["deleted"], found["recreated"]) == (6, [])
    assert {held["id"]: held["label"] for held in found["held_out_notebooks"]} == {"nb1": "still-idle", "nb5": "still-idle"}
    text = desk.run("backtest").out
    assert "Really deleted: 6 notebooks, of which 0 created again by their owners." in text
    assert "Held out: 2 notebooks. 0 of 2 deletions would be regretted" in text
