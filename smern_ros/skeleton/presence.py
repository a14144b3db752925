"""Who is here: somebody comes when first seen, and leaves when out of sight for longer than an occlusion."""
from __future__ import annotations

from collections.abc import Sequence

from smern_ros.values import SECOND, Skeleton


class PresenceTracker:
    """Everybody who is here, each with the newest skeleton. For one thread."""

    def __init__(self) -> None:
        self._here: dict[str, Skeleton] = {}
        self._newest_ns = 0

    @property
    def anybody(self) -> bool:
        return bool(self._here)

    def see(self, stamp_ns: int, skeletons: Sequence[Skeleton], *, track_timeout: float) -> list[Skeleton] | None:
        """Takes everybody in one camera frame.

        :param stamp_ns: of the frame; one before the last frame's is a clock that jumped back: all who were here left.
        :param track_timeout: s that somebody may be out of sight and is still here: as long as the id is kept.
        :return: everybody who is here now, in the order of their coming, if somebody came or left; else None.
        """
        before = list(self._here)
        if stamp_ns < self._newest_ns:
            self._here.clear()
        self._newest_ns = stamp_ns
        self._here |= {skeleton.person_id: skeleton for skeleton in skeletons}
        longest_ns = round(track_timeout * SECOND)
        self._here = {p: s for p, s in self._here.items() if stamp_ns - s.stamp_ns <= longest_ns}
        return None if list(self._here) == before else list(self._here.values())

    def forget(self) -> None:
        """Nobody is looked at any more."""
        self._here.clear()
