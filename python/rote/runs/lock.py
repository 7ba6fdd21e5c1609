"""One process at a time writes to a run folder.

The lock is the kernel's (flock), so it ends with its process, however that ends: after kill -9 nothing has to be
cleaned up. The lock file names the holder, for the message that the second process prints.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from pathlib import Path

from rote.runs.errors import RunLocked
from rote.runs.whole_files import LOCK


class FolderLock:
    """Exclusive write access to a folder, from construction to `release()` or the end of the process.

    Raises:
        RunLocked: another process (or another `FolderLock` of this one) holds the folder.
        OSError: the lock file cannot be written (a read-only folder).
    """

    def __init__(self, folder: Path) -> None:
        self.path = Path(folder) / LOCK
        self._descriptor: int | None = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._descriptor, 200, 0).decode(errors="replace").strip() or "another process"
            os.close(self._descriptor)
            self._descriptor = None
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise RunLocked(f"{folder} is being written by {holder}; wait for it or stop it first") from None
            raise
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)

    def release(self) -> None:
        """Gives the folder up. The lock file stays: removing it would race with a process that just opened it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
