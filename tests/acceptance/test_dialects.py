"""Each way of listing that the documents leave open sweeps a fleet of hundreds, whole (API notes, section 12)."""

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Desk, Ended, Json, idle, idle_fleet

COUNT = 230


def found(ended: Ended) -> set[tuple[str, str]]:
    """Tell what the log says that was found out about the cloud."""
    return {(line["aspect"], line["value"]) for line in ended.events("dialect.found")}


PAGES: dict[str, tuple[Json, set[tuple[str, str]]]] = {
    "rows": ({}, {("offsets", "rows")}),
    "rounded": ({"offset_as": "rounded"}, {("offsets", "whole-pages")}),
    "page-numbers": ({"offset_as": "page-number"}, {("offsets", "page-numbers")}),
    "page-numbers-from-1": ({"offset_as": "page-number-from-1"}, {("offsets", "page-numbers")}),
    "multiples-only": ({"offset_as": "multiples-only"}, {("offsets", "whole-pages")}),
    "rows-of-20": ({"largest_page": 20}, {("offsets", "rows"), ("page-size", "20")}),
    "rounded-20": ({"offset_as": "rounded", "largest_page": 20}, {("offsets", "whole-pages"), ("page-size", "20")}),
    "page-numbers-10": ({"offset_as": "page-number", "largest_page": 10}, {("offsets", "page-numbers"), ("page-size", "10")}),
    "page-numbers-7": ({"offset_as": "page-number", "largest_page": 7}, {("offsets", "page-numbers"), ("page-size", "7")}),
}


@pytest.mark.parametrize("dialect", PAGES)
def test_a_fleet_is_swept_whole_whatever_an_offset_means_and_however_small_pages_are(
    simulate: Simulate, desk: Desk, dialect: str
) -> None:
    """What is idle goes, what is protected or was used yesterday stays, and the log says what was found out."""
    options, told = PAGES[dialect]
    kept = [*(idle(f"keep-{number}") for number in range(12)), *(idle(f"used-{number}", 1) for number in range(12))]
    cloud = simulate([*idle_fleet(COUNT), *kept], dialect=options, timing={"deletion_median_s": 0.3})
    desk.write(cloud, protect=[{"name": "keep-*"}])
    ended = desk.sweep()
    assert ended.code == 0, ended.err
    assert cloud.gone() == ended.ids("deleted") == {f"nb-{number:03d}" for number in range(COUNT)}
    assert cloud.deletes().most_common(1)[0][1] == 1
    assert found(ended) == told
    assert ended.events("survey.torn") == []
