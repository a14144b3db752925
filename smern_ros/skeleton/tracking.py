"""Who is who from frame to frame: stable person ids from where torsos are and how they move.

Distances are measured in the person's own shoulder widths, so that near and far people are held alike.
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from smern_ros.values import SECOND

_FORBIDDEN = 1e6
_VELOCITY_GAIN = 0.3
"""How much of a prediction's error corrects the velocity: shoulders jitter, people do not change course at once."""
_COASTING = 0.5
"""Seconds after which somebody out of sight has lost most of the speed they were last seen with."""


@dataclass
class _Track:
    person_id: str
    centre: np.ndarray    # (2,) pixels
    velocity: np.ndarray  # (2,) pixels / s
    size: float           # pixels, shoulder width
    seen_ns: int

    def at(self, stamp_ns: int) -> np.ndarray:
        """(2,) pixels, where the person should be by now."""
        elapsed = (stamp_ns - self.seen_ns) / SECOND
        return self.centre + self.velocity * (_COASTING * (1 - math.exp(-elapsed / _COASTING)))

    def move(self, stamp_ns: int, centre: np.ndarray, size: float) -> None:
        elapsed = max((stamp_ns - self.seen_ns) / SECOND, 1e-3)
        self.velocity = self.velocity + _VELOCITY_GAIN * (centre - self.at(stamp_ns)) / elapsed
        self.centre, self.size, self.seen_ns = centre, size, stamp_ns


class PersonTracker:
    """Gives each body of a frame the id it had before, or a new one: p1, p2, ... An id is never given twice.

    :param occlusion: s; somebody hidden for longer is a new person when seen again.
    :param reach: shoulder widths that somebody may be from where they were expected in the next frame; each second
        out of sight adds as much again.
    """

    def __init__(self, *, occlusion: float = 1.0, reach: float = 1.5) -> None:
        if not (occlusion >= 0 and reach > 0):
            raise ValueError(f'occlusion {occlusion} s must not be negative and reach {reach} must be above zero')
        self._occlusion_ns = round(occlusion * SECOND)
        self._reach = reach
        self._tracks: list[_Track] = []
        self._known = 0

    def forget(self) -> None:
        """Everybody seen from now on is new: the time line has broken."""
        self._tracks.clear()

    def identify(self, stamp_ns: int, centres: np.ndarray, sizes: np.ndarray) -> list[str]:
        """Ids of the bodies of one frame, in their order. The order in which bodies are given changes no id.

        :param stamp_ns: not before the stamp of the last call.
        :param centres: (N, 2) pixels, the thorax. :param sizes: (N,) pixels, shoulder widths, above zero.
        """
        centres = np.asarray(centres, np.float64).reshape(-1, 2)
        sizes = np.maximum(np.asarray(sizes, np.float64).reshape(-1), 1e-3)
        self._tracks = [t for t in self._tracks if stamp_ns - t.seen_ns <= self._occlusion_ns]
        ids = [''] * len(centres)
        for track, body in self._matches(stamp_ns, centres, sizes):
            track.move(stamp_ns, centres[body], sizes[body])
            ids[body] = track.person_id
        newcomers = [body for body, person_id in enumerate(ids) if not person_id]
        for body in sorted(newcomers, key=lambda b: (*centres[b], sizes[b])):  # left to right
            self._known += 1
            ids[body] = f'p{self._known}'
            self._tracks.append(_Track(ids[body], centres[body], np.zeros(2), sizes[body], stamp_ns))
        return ids

    def _matches(self, stamp_ns: int, centres: np.ndarray, sizes: np.ndarray) -> list[tuple[_Track, int]]:
        """As many pairs as are within reach, and of those the choice with the least distance in all."""
        if not self._tracks or not len(centres):
            return []
        from scipy.optimize import linear_sum_assignment

        expected = np.stack([t.at(stamp_ns) for t in self._tracks])                           # (tracks, 2)
        known_sizes = np.array([t.size for t in self._tracks])                                # (tracks,)
        scale = np.sqrt(known_sizes[:, None] * sizes)                                         # (tracks, N)
        distance = np.linalg.norm(expected[:, None] - centres, axis=2) / scale                # (tracks, N)
        distance += np.abs(np.log(sizes / known_sizes[:, None]))                              # nobody doubles in size
        unseen = np.array([(stamp_ns - t.seen_ns) / SECOND for t in self._tracks])            # (tracks,)
        within = distance <= (self._reach * (1 + unseen))[:, None]
        rows, columns = linear_sum_assignment(np.where(within, distance, _FORBIDDEN))
        return [(self._tracks[r], int(c)) for r, c in zip(rows, columns, strict=True) if within[r, c]]
