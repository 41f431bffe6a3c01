"""The order of all tests: the workers of pytest-xdist begin with the slowest ones, so that none of these starts last."""

from collections.abc import Sequence
from zlib import crc32

SLOWEST = {
    "tests/acceptance/test_large_fleet_pages.py::test_each_page_of_twenty_thousand_notebooks_is_small_and_soon_made": 100,
    "tests/acceptance/test_leaks.py::test_a_service_holds_no_more_after_sixty_sweeps_than_after_fifteen": 65,
    "tests/acceptance/test_quickstart.py::test_every_command_prints_what_the_page_shows": 43,
    "tests/acceptance/test_try_policy_page.py::test_every_command_prints_what_the_page_shows": 40,
    "tests/acceptance/test_kill_while_telling.py::test_a_run_killed_while_it_deletes_tells_of_each_deletion[": 38,
    "tests/acceptance/test_owners_page.py::test_every_command_prints_what_the_page_shows": 35,
    "tests/acceptance/test_credentials.py::test_a_service_does_not_try_a_wrong_password_at_every_sweep": 34,
    "tests/acceptance/test_service.py::test_a_sweep_whose_time_passed_while_the_service_was_stopped_is_made_up_for": 30,
    "tests/acceptance/test_streams.py::test_a_command_that_only_tells_fails_in_words_where_nobody_can_be_told": 20,
    "tests/acceptance/test_demo_pages.py::test_every_page_shows_the_past_and_nothing_stays_behind": 20,
    "tests/simulation/past/test_past.py::test_no_seed_breaks_a_promise[": 15,
    "tests/unit/adapters/journal/test_errors.py::test_no_piece_of_a_secret_is_told": 12,
    "tests/acceptance/test_kill_at_every_write.py::test_a_sweep_killed_at_any_write_is_recovered_from[": 11,
    "tests/acceptance/test_service.py::test_a_service_sweeps_reloads_and_stops_cleanly": 10,
    "tests/acceptance/test_kill_at_every_notice.py::test_a_process_killed_at_any_notice_has_stored_all": 10,
    "tests/acceptance/test_kill_at_every_write.py::test_a_sweep_killed_again_and_again_comes_to_its_end[": 10,
    "tests/unit/service/web/test_schemathesis.py::test_the_api_is_what_its_document_says[": 10,
    "tests/acceptance/test_owners_come_back.py::test_a_notebook_that_was_used_while_no_look_succeeded_is_kept": 8,
    # make test-fleet
    "tests/fleet/test_speed_up.py::test_three_workers_share_the_accounts_of_one": 60,
    "tests/fleet/test_hosts.py::test_a_host_whose_clock_is_off_takes_over_neither_too_early_nor_never": 40,
    "tests/fleet/test_losses.py::test_the_schedule_goes_on_when_the_leader_is_killed": 30,
    "tests/fleet/test_losses.py::test_workers_go_on_by_themselves_after_an_outage_that_is_longer_than_a_lease": 26,
}
"""The tests that take longest, by the beginnings of their ids, in seconds; `make test` shows the present ones."""


def in_order(ids: Sequence[str], workers: int) -> list[str]:
    """Return ids of tests in the order in which pytest-xdist deals them out: to each worker an equal part, one after the other.

    Each part begins with its share of the slowest tests. In the rest, modules are mixed, always in the same way, so that tests
    that wait for something run beside tests that compute; the tests of a module stay together, because they share fixtures.
    """
    seconds = {each: _seconds(each) for each in ids}
    slow = sorted(filter(seconds.get, ids), key=lambda each: (-seconds[each], each))
    # A sort keeps the order of equals: that of a file.
    rest = sorted((each for each in ids if not seconds[each]), key=lambda each: crc32(each.partition("::")[0].encode()))
    ordered: list[str] = []
    for worker in range(workers):
        first = slow[worker::workers]
        size = (len(ids) - len(ordered)) // (workers - worker)
        more = max(0, size - len(first))
        ordered += first + rest[:more]
        rest = rest[more:]
    return ordered


def _seconds(test: str) -> int:
    """Return how long one of the slowest tests takes; 0 for all others."""
    return next((taken for beginning, taken in SLOWEST.items() if test.startswith(beginning)), 0)
