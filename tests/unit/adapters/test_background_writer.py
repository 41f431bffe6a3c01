"""Whoever writes to what nobody reads goes on."""

import os
from collections.abc import Iterator

import pytest

from nbsweep.adapters.background_writer import BackgroundWriter


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Yield a pipe's two ends, the second for who writes."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def read_all(reading: int, size: int) -> bytes:
    """Read so many bytes."""
    found = b""
    while len(found) < size:
        found += os.read(reading, 65_536)
    return found


def test_what_is_read_comes_in_order_and_whole(pipe: tuple[int, int]) -> None:
    """And has been written by the time that `write` returns, as long as the reader keeps up."""
    writer = BackgroundWriter(pipe[1])
    for number in range(100):
        writer.write(b"line %d\n" % number)
        assert os.read(pipe[0], 100) == b"line %d\n" % number
    assert (writer.lost, writer.take_untold()) == (0, 0)


def test_what_nobody_reads_is_lost_beyond_a_bound_and_counted_once(pipe: tuple[int, int]) -> None:
    """The pipe's 64 KiB and the queue's 10 kB are there when somebody reads again, and then it is told what was lost."""
    writer = BackgroundWriter(pipe[1], most_bytes=10_000)
    os.write(pipe[1], b"x" * 65_536)
    for _ in range(15):
        writer.write(b"y" * 1000)
    assert (writer.lost, writer.take_untold()) == (5, 0)
    assert read_all(pipe[0], 75_536) == b"x" * 65_536 + b"y" * 10_000
    writer.close()
    assert (writer.take_untold(), writer.take_untold(), writer.lost) == (5, 0, 5)
    writer.write(b"z")
    assert os.read(pipe[0], 10) == b"z"


def test_the_end_does_not_wait_for_a_reader(pipe: tuple[int, int]) -> None:
    """And what the reader finds later is whole, as far as it fits."""
    writer = BackgroundWriter(pipe[1])
    os.write(pipe[1], b"x" * 65_536)
    for _ in range(1000):
        writer.write(b"a line\n")
    writer.close()
    assert read_all(pipe[0], 65_536 + 7000).endswith(b"a line\n" * 1000)


def test_a_file_that_fails_loses_the_lines_and_nothing_else() -> None:
    """The reader has gone; lines are counted, and nobody who writes hears of it."""
    reading, writing = os.pipe()
    os.close(reading)
    writer = BackgroundWriter(writing)
    writer.write(b"a line\n")
    writer.close()
    os.close(writing)
    assert writer.lost == 1
