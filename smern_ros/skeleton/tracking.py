# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tracking of people from frame to frame, by the position and velocity of their torsos and the colour of their clothes.

Distances are in the person's own shoulder widths. Other clothes count as one shoulder width.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smern_ros.skeleton.clothing import difference
from smern_ros.values import SECOND, Skeleton

TRACK_TIMEOUT = 2.0
"""s that somebody may be out of sight and keep the id: two who stroll past each other hide one another for one, and
estimators lose who is covered early and find them late."""
_FORBIDDEN = 1e6
_VELOCITY_GAIN = 0.3
"""How much of a prediction's error corrects the velocity: shoulders jitter, people do not change course at once."""
_COLOUR_GAIN = 0.1
"""How much of a frame's colours goes into those that are remembered: light changes slowly."""
_OTHER_CLOTHES = 0.75
"""Share of the torso from which other colours mean another person, when..."""
_HIDDEN = 0.2
"""...nobody was seen there for so many seconds: in running view colours change because something passes in front."""
_FREE = 2.0
"""Shoulder widths between two people from which neither covers the other's clothes."""
_SAME_BODY = 0.4
"""Shoulder widths between two thoraxes below which an estimator has found one body twice, as it does when people
overlap. Of two who stand so, one hides the other."""
_COASTING = 0.5
"""Seconds after which somebody out of sight has lost most of the speed they were last seen with."""


def distinct(centres: np.ndarray, sizes: np.ndarray, scores: np.ndarray) -> list[int]:
    """Which bodies of one frame to keep so that each is there once: of those in one place, the surest.

    :param centres: (N, 2) pixels, the thorax. :param sizes: (N,) pixels, shoulder widths. :param scores: (N,) 0..1.
    :return: their numbers, in the order given.
    """
    kept: list[int] = []
    for body in np.argsort(-np.asarray(scores), kind='stable'):
        reach = [_SAME_BODY * max(sizes[body], sizes[other]) for other in kept]
        apart = [np.linalg.norm(centres[body] - centres[other]) for other in kept]
        if all(a > r for a, r in zip(apart, reach, strict=True)):
            kept.append(int(body))
    return sorted(kept)


@dataclass
class _Track:
    person_id: str
    centre: np.ndarray    # (2,) pixels
    velocity: np.ndarray  # (2,) pixels / s
    size: float           # pixels, shoulder width
    colours: np.ndarray   # (D,) of the clothes
    seen_ns: int

    def at(self, stamp_ns: int) -> np.ndarray:
        """(2,) pixels, where the person should be by now."""
        elapsed = (stamp_ns - self.seen_ns) / SECOND
        return self.centre + self.velocity * (_COASTING * (1 - math.exp(-elapsed / _COASTING)))

    def move(self, stamp_ns: int, centre: np.ndarray, size: float) -> None:
        elapsed = max((stamp_ns - self.seen_ns) / SECOND, 1e-3)
        self.velocity = self.velocity + _VELOCITY_GAIN * (centre - self.at(stamp_ns)) / elapsed
        self.centre, self.size, self.seen_ns = centre, size, stamp_ns

    def look(self, colours: np.ndarray) -> None:
        known = self.colours.any() and colours.any()
        self.colours = self.colours + _COLOUR_GAIN * (colours - self.colours) if known else colours


class PersonTracker:
    """Assigns person ids p1, p2, ... to the bodies of each frame. An id is never reused.

    :param track_timeout: s without detection after which a person gets a new id.
    :param reach: shoulder widths that somebody may be from where they were expected in the next frame; each second
        out of sight adds as much again.
    """

    def __init__(self, *, track_timeout: float = TRACK_TIMEOUT, reach: float = 1.5) -> None:
        if not (track_timeout >= 0 and reach > 0):
            raise ValueError(
                f'track_timeout {track_timeout} s must be >= 0 and reach {reach} must be > 0'
            )
        self.track_timeout = track_timeout  # s; may be changed at any time
        self._reach = reach
        self._tracks: list[_Track] = []
        self._known = 0

    def forget(self) -> None:
        """Drop all tracks; all people get new ids."""
        self._tracks.clear()

    def identify(
        self, stamp_ns: int, centres: np.ndarray, sizes: np.ndarray, colours: np.ndarray | None = None
    ) -> list[str]:
        """Ids of the bodies of one frame, in their order. The order in which bodies are given changes no id.

        :param stamp_ns: not before the stamp of the last call.
        :param centres: (N, 2) pixels, the thorax. :param sizes: (N,) pixels, shoulder widths, above zero.
        :param colours: (N, D) of `clothing.torso_colours`; None: nobody looks at them.
        """
        centres = np.asarray(centres, np.float64).reshape(-1, 2)
        sizes = np.maximum(np.asarray(sizes, np.float64).reshape(-1), 1e-3)
        colours = np.zeros((len(centres), 1)) if colours is None else np.asarray(colours, np.float64)
        self._tracks = [t for t in self._tracks if stamp_ns - t.seen_ns <= self.track_timeout * SECOND]
        ids = [''] * len(centres)
        for track, body in self._matches(stamp_ns, centres, sizes, colours):
            if self._stands_free(track, stamp_ns, centres[body], sizes[body]):
                track.look(colours[body])
            track.move(stamp_ns, centres[body], sizes[body])
            ids[body] = track.person_id
        newcomers = [body for body, person_id in enumerate(ids) if not person_id]
        for body in sorted(newcomers, key=lambda b: (*centres[b], sizes[b])):  # left to right
            self._known += 1
            ids[body] = f'p{self._known}'
            self._tracks.append(_Track(ids[body], centres[body], np.zeros(2), sizes[body], colours[body], stamp_ns))
        return ids

    def _stands_free(self, track: _Track, stamp_ns: int, centre: np.ndarray, size: float) -> bool:
        """Nobody else is, or should be, where they could hide that body in part."""
        return all(
            other is track or np.linalg.norm(other.at(stamp_ns) - centre) > _FREE * max(size, other.size)
            for other in self._tracks
        )

    def _matches(
        self, stamp_ns: int, centres: np.ndarray, sizes: np.ndarray, colours: np.ndarray
    ) -> list[tuple[_Track, int]]:
        """As many pairs as are within reach, and of those the choice with the least distance in all."""
        if not self._tracks or not len(centres):
            return []
        from scipy.optimize import linear_sum_assignment

        expected = np.stack([t.at(stamp_ns) for t in self._tracks])                           # (tracks, 2)
        known_sizes = np.array([t.size for t in self._tracks])                                # (tracks,)
        scale = np.sqrt(known_sizes[:, None] * sizes)                                         # (tracks, N)
        distance = np.linalg.norm(expected[:, None] - centres, axis=2) / scale                # (tracks, N)
        distance += np.abs(np.log(sizes / known_sizes[:, None]))                              # nobody doubles in size
        unlike = difference(np.stack([t.colours for t in self._tracks])[:, None], colours)    # (tracks, N)
        unseen = np.array([(stamp_ns - t.seen_ns) / SECOND for t in self._tracks])            # (tracks,)
        distance += unlike
        within = distance <= (self._reach * (1 + unseen))[:, None]
        within &= (unlike < _OTHER_CLOTHES) | (unseen < _HIDDEN)[:, None]
        rows, columns = linear_sum_assignment(np.where(within, distance, _FORBIDDEN))
        return [(self._tracks[r], int(c)) for r, c in zip(rows, columns, strict=True) if within[r, c]]


class PresenceTracker:
    """The people in view, each with the newest skeleton. Not thread-safe."""

    def __init__(self) -> None:
        self._here: dict[str, Skeleton] = {}
        self._newest_ns = 0

    @property
    def anybody(self) -> bool:
        return bool(self._here)

    def update(self, stamp_ns: int, skeletons: Sequence[Skeleton], *, track_timeout: float) -> list[Skeleton] | None:
        """Add the skeletons of one camera frame.

        :param stamp_ns: of the frame; if it jumps back, all people are removed.
        :param track_timeout: s without detection after which a person is removed.
        :return: the people in view in order of arrival if somebody was added or removed; else None.
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
        """Remove all people."""
        self._here.clear()
