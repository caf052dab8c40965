"""One start that all who ask for it share."""

from __future__ import annotations

import trio


class Attempt:
    """It ends once: with the worker ready, or with the cause of its failure."""

    def __init__(self) -> None:
        self._error: str | None = None
        self._ended = trio.Event()

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    def end(self, error: str | None = None) -> None:
        """The worker is ready; or it is not, and why. The first end counts."""
        if not self.ended:
            self._error = error
            self._ended.set()

    async def result(self) -> None:
        """Wait until the worker is ready. Raises OSError with the cause where this start has failed."""
        await self._ended.wait()
        if self._error is not None:
            raise OSError(self._error)
