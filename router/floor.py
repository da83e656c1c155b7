"""A stream that trickles: when it is too slow to be worth waiting for."""

from __future__ import annotations

from dataclasses import dataclass

from ..exceptions import Timeout

WINDOW = 10.0
"""Seconds of waiting over which the speed is judged."""

CHARACTERS_PER_TOKEN = 4


@dataclass(slots=True)
class DecodeFloor:
    """Judges a stream by its tokens per second of waiting; a slow reader is not its fault.

    Attributes:
        tokens_per_second: the least that is accepted.
        window: seconds of waiting after which it is judged, again and again.
    """

    tokens_per_second: float
    window: float = WINDOW
    _waited: float = 0.0
    _characters: int = 0

    def check(self, waited: float, characters: int) -> None:
        """Take in how long was waited just now, and how much text there is in all.

        Raises:
            Timeout: the stream has been too slow for a whole window.
        """
        self._waited += waited
        if self._waited < self.window:
            return
        rate = (characters - self._characters) / CHARACTERS_PER_TOKEN / self._waited
        if rate < self.tokens_per_second:
            raise Timeout(
                f"{rate:.2g} tokens/s over {self._waited:.3g} s are fewer than "
                f"{self.tokens_per_second:g} (min_tokens_per_second)"
            )
        self._waited, self._characters = 0.0, characters
