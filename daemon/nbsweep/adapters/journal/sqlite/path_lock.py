"""Ensures that all processes of a machine use the same SQLite file under one path, even if the file is moved or deleted.

Processes that use the same file share the lock. A process that finds another file under the path is refused while any of them
runs. The kernel releases the lock when a process ends, even after `kill -9`. There are two lock files, and either is enough.
One is beside the journal, hidden from patterns such as `journal.db*`, for processes of all users and containers that share the
folder. The other is in the folder for temporary files, with the path in its name, in case the journal's folder is moved or
deleted; only processes of the same user that share that folder use it, and it is skipped if it cannot be created.
"""

import fcntl
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager, suppress
from hashlib import sha256
from pathlib import Path

import anyio

from nbsweep.core.errors import JournalError

RETRY_EVERY_S = 0.02


@asynccontextmanager
async def path_lock(path: Path, make: Callable[[], None], patience_s: float) -> AsyncIterator[None]:
    """Hold the locks of a journal's path while inside; `make` is called to create the file if no process uses one.

    Raises:
        JournalError: another process is at work with another file of this path.
        OSError: the lock or the file cannot be made.
    """
    with ExitStack() as locks:
        with _untouched_if_refused(path):
            if by_name := _by_name(path):
                with suppress(OSError):
                    locks.enter_context(await _joined(by_name, path, make, patience_s))
            locks.enter_context(await _joined(path.parent / f".{path.name}.lock", path, make, patience_s))
        yield


@contextmanager
def _untouched_if_refused(path: Path) -> Iterator[None]:
    """Delete a file that was just created if the lock is refused, so that the original file can be put back."""
    existed = path.exists()
    try:
        yield
    except JournalError:
        if not existed:
            path.unlink(missing_ok=True)
        raise


async def _joined(place: Path, path: Path, make: Callable[[], None], patience_s: float) -> AbstractContextManager[None]:
    """Take the shared lock, with retries while another process changes it."""
    end_s = anyio.current_time() + patience_s
    while (lock := _try_to_join(place, path, make)) is None:
        if anyio.current_time() >= end_s:
            raise JournalError(f"The journal {path} is being opened by another process, which does not get done with it.")
        await anyio.sleep(RETRY_EVERY_S)
    return _held(lock, place)


@contextmanager
def _held(lock: int, place: Path) -> Iterator[None]:
    try:
        yield
    finally:
        # The last process deletes the lock file; a process that has just opened the file notices that it is gone.
        if _locked(lock, fcntl.LOCK_EX):
            place.unlink(missing_ok=True)
        os.close(lock)


def _try_to_join(place: Path, path: Path, make: Callable[[], None]) -> int | None:
    """Return the shared lock; None if the attempt has to be repeated."""
    lock = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with ExitStack() as on_failure:
        on_failure.callback(os.close, lock)
        if _locked(lock, fcntl.LOCK_EX) and _is_in_place(lock, place):
            make()
            _note(lock, path)
        # A change of the kind of lock releases the lock first, and then acquires it again.
        if not _locked(lock, fcntl.LOCK_SH) or not _is_in_place(lock, place):
            return None
        if os.pread(lock, 100, 0) != _identity(path):
            raise JournalError(
                f"The journal {path} was moved, deleted or replaced. Another nbsweep is still at work with the file that was "
                "there before, and a second one must not begin with another file meanwhile. Put the file back in its place, "
                "or wait until that process has ended."
            )
        on_failure.pop_all()
    return lock


def _note(lock: int, path: Path) -> None:
    """Write the identity of the file into the lock file, for other processes; its owner is the owner of the journal."""
    os.ftruncate(lock, 0)
    os.pwrite(lock, _identity(path), 0)
    found, me = path.stat(), os.geteuid()
    with suppress(PermissionError):
        if me == 0:
            os.fchown(lock, found.st_uid, found.st_gid)
        os.fchmod(lock, found.st_mode & 0o666)


def _locked(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_in_place(lock: int, place: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(lock), place.stat())
    return False


def _identity(path: Path) -> bytes:
    try:
        found = path.stat()
    except OSError:
        return b"none"
    return f"{found.st_dev} {found.st_ino}".encode()


def _by_name(path: Path) -> Path | None:
    """Return the path of the lock outside the journal's folder; None if its folder cannot be created."""
    folder = Path(tempfile.gettempdir()) / f"nbsweep-{os.geteuid()}"
    with suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        # Other users may write to its parent folder.
        if folder.lstat().st_uid == os.geteuid():
            return folder / f"{sha256(os.fsencode(path.absolute())).hexdigest()[:32]}.lock"
    return None
