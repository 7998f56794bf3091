"""What SIGTERM does to a training: it ends at once, except between deciding and writing down what was decided."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

CODE = 128 + signal.SIGTERM  # 143, what a shell says of a process that SIGTERM ended


class Stopped(BaseException):
    """The process was told to stop. Not an `Exception`: nothing that copes with errors may go on after it."""

    def __init__(self) -> None:
        super().__init__("stopped by SIGTERM before the registry was written. Fix: train again.")


class Stop:
    """Whether a signal asked for the end, and whether it may come now."""

    def __init__(self) -> None:
        self.asked = False
        self._held = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Answer SIGTERM inside the block; give the former answer back behind it.

        The training is process 1 of its container, and the kernel ignores SIGTERM for a process 1 without a handler.
        """
        former = signal.signal(signal.SIGTERM, self._ask)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, former)

    def check(self) -> None:
        """Raise `Stopped` if it was asked for and is not held off.

        The signal itself raises, but Python drops what is raised in a finaliser: a long training asks now and then.
        """
        if self.asked and not self._held:
            raise Stopped

    def hold(self) -> None:
        """Let nothing end the process until `release`: a registry entry and the ledger must tell the same."""
        self._held = True

    def release(self) -> None:
        """Allow the end again, and raise `Stopped` if it was asked for meanwhile."""
        self._held = False
        self.check()

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        if not self.asked:  # told again while it ends: the ledger entry is still to be written
            self.asked = True
            self.check()
