import io
import os
import threading

import pytest

from nbsweep.cli.streams import LossyOutput, Output


def pipe() -> tuple[int, int]:
    """Open a pipe whose writing end does not wait."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    return reading, writing


def test_a_failure_is_raised_once_and_what_follows_goes_nowhere() -> None:
    """So that the end of the program, which flushes again, does not fail a second time."""
    reading, writing = os.pipe()
    os.close(reading)
    output = Output(writing)
    with pytest.raises(BrokenPipeError) as caught:
        output.write(b"lost")
    assert output.failure is caught.value
    assert output.write(b"nowhere") == 7
    os.close(writing)


def test_a_pipe_that_does_not_wait_is_waited_for() -> None:
    """More than any pipe holds arrives whole."""
    reading, writing = pipe()
    content, gathered = b"0123456789abcdef" * 20_000, bytearray()

    def read() -> None:
        while chunk := os.read(reading, 65_536):
            gathered.extend(chunk)

    reader = threading.Thread(target=read)
    reader.start()
    with io.BufferedWriter(Output(writing)) as stream:
        stream.write(content)
    os.close(writing)
    reader.join()
    os.close(reading)
    assert gathered == content


def test_lines_of_the_log_that_nobody_takes_are_dropped() -> None:
    """Neither a pipe without a reader nor one that is full and does not wait raises anything, or is waited for without end."""
    reading, writing = pipe()
    output = LossyOutput(writing)
    line = b"x" * 65_536
    for _ in range(4):
        # A part of the first may be taken, and all of the last is dropped.
        assert 0 < output.write(line) <= len(line)
    os.close(reading)
    assert output.write(line) == len(line)
    # Or its thread would go on to write to the next file of that number.
    output.writer.close()
    os.close(writing)


def test_what_is_written_at_the_very_end_needs_no_thread() -> None:
    """A thread that began while the interpreter ends would be waited for without end."""
    reading, writing = os.pipe()
    output = LossyOutput(writing)
    output.writer.close()
    before = threading.active_count()
    output.write(b"last words")
    assert threading.active_count() == before
    os.close(writing)
    assert os.read(reading, 100) == b"last words"
    os.close(reading)
