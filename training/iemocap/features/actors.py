# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Both actors of a dialog, from its video: the pose of each half of the picture, while its actor is of interest."""
from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from smern_ros.media.reader import MediaError, MediaReader
from smern_ros.skeleton import pose
from smern_ros.skeleton.features import as_given, model_input
from smern_ros.skeleton.resample import resample
from smern_ros.skeleton.window import cut, smooth
from smern_ros.spec import SPEC
from smern_ros.training.common.cache import code, file_state, key
from smern_ros.training.iemocap.corpus_reader.names import Side
from smern_ros.training.iemocap.features.feature_store import AS_THE_ROBOT, FILTERS, SkeletonChoice
from smern_ros.values import SECOND, Skeleton, SkeletonWindow

IN_VIEW = 0.25
"""Of an utterance's frames, the share in which the actor must be seen. The paper does not say which utterances lack the
actor's image; this is our choice. It keeps out a half without an actor in which something is taken for one now and
then, and keeps in an actor who is hidden most of the time."""
LEAD = SECOND // 2
"""ns before a span from which on its actor is looked at. With less, the estimator has not yet settled when the span
begins; with more, the skeletons in the span come no nearer to those of who looks all the time."""
_SIDES = tuple(Side)
Spans = Mapping[Side, Sequence[tuple[int, int]]]
"""When to look at each actor: start and end in ns of the video's time."""


@dataclass(frozen=True)
class PoseChoice:
    """Which estimator, and its weights if they are not the package's."""

    backend: str = 'mediapipe'
    options: tuple[tuple[str, str], ...] = ()

    def create(self) -> pose.PoseEstimator:
        """For the picture of one actor. :raises: see `smern_ros.skeleton.pose.create`; AssetError."""
        return pose.create(self.backend, num_poses=1, **dict(self.options))

    def key(self) -> str:
        """Of all that its answers depend on but the picture."""
        weights = [file_state(Path(value)) for _, value in self.options]
        if self.backend == 'mediapipe' and not self.options:
            from smern_ros import assets
            from smern_ros.skeleton.pose_mediapipe import ASSET
            weights.append(file_state(assets.path(ASSET)))
        sources = [f'smern_ros.skeleton.{name}' for name in ('joints', 'pose', f'pose_{self.backend}', 'tracking')]
        return key(
            backend=self.backend, options=self.options, weights=weights, version=_version(self.backend),
            code=code([*sources, 'smern_ros.media', __name__]),
        )


@dataclass(frozen=True, eq=False)
class Actors:
    """The raw skeletons of a video's two halves. In each at most one person is looked for: its actor."""

    stamps_ns: np.ndarray  # (F,) int64, growing; all frames of the video
    positions: np.ndarray  # (2, F, 10, 3) float32, left and right; see `Skeleton.positions`; NaN where not seen
    origins: np.ndarray    # (2, F, 3) float32, see `Skeleton.origin`; NaN where nobody was seen
    extents: np.ndarray    # (2, F) float32, NaN where nobody was seen or nobody looked
    problem: str           # what was wrong with the video; '': nothing

    @property
    def end_ns(self) -> int:
        """Stamp of the last frame; -1 if there is none."""
        return int(self.stamps_ns[-1]) if len(self.stamps_ns) else -1

    def movement(
        self, side: Side, start_ns: int, end_ns: int, choice: SkeletonChoice = AS_THE_ROBOT
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """What the network sees of the actor from start to end, cut and resampled as the robot does.

        :return: filtered (S, 30) float32, without the low-pass (S, 30) float32, visible (S, 10) bool; None if the actor
            is not in view.
        """
        window = self.window(side, start_ns, end_ns)
        if window is None:
            return None
        half, seen = self._seen(side, start_ns, end_ns)
        positions = self.positions[half, seen]
        if choice.raw:
            positions = positions - self.origins[half, seen, None]
        unfiltered, visible = resample(self.stamps_ns[seen], positions, start_ns, end_ns, SPEC)
        filtered = smooth(unfiltered, visible, SPEC, FILTERS[choice.filter])
        if choice.raw:
            return as_given(filtered, visible), as_given(unfiltered, visible), visible
        both = (model_input(dataclasses.replace(window, positions=of))[0] for of in (filtered, unfiltered))
        return next(both), next(both), visible

    def window(self, side: Side, start_ns: int, end_ns: int) -> SkeletonWindow | None:
        """The actor's movement from start to end as the robot passes it on; None if the actor is not in view."""
        half, seen = self._seen(side, start_ns, end_ns)
        windows = cut([self._skeleton(half, frame) for frame in seen], start_ns, end_ns)
        return windows[0] if windows and windows[0].visible.any(axis=1).mean() >= IN_VIEW else None

    def _seen(self, side: Side, start_ns: int, end_ns: int) -> tuple[int, np.ndarray]:
        """Row of the half, and the frames from start to end in which its actor was seen."""
        half = _SIDES.index(side)
        first = np.searchsorted(self.stamps_ns, start_ns, 'left')
        last = np.searchsorted(self.stamps_ns, end_ns, 'right')
        return half, first + np.flatnonzero(np.isfinite(self.extents[half, first:last]))

    def _skeleton(self, half: int, frame: int) -> Skeleton:
        positions = self.positions[half, frame]
        joints = len(positions)
        return Skeleton(
            stamp_ns=int(self.stamps_ns[frame]), person_id=_SIDES[half].value, positions=positions,
            confidences=np.isfinite(positions).all(axis=1).astype(np.float32), score=1.0,
            extent=float(self.extents[half, frame]), image_positions=np.full((joints, 2), np.nan, np.float32),
        )

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f'{path.name}.{os.getpid()}.part')
        with unfinished.open('wb') as file:
            np.savez(file, stamps_ns=self.stamps_ns, positions=self.positions, origins=self.origins,
                     extents=self.extents, problem=np.array(self.problem))
        os.replace(unfinished, path)

    @classmethod
    def load(cls, path: Path) -> Actors | None:
        """None if there are none."""
        try:
            with np.load(path, allow_pickle=False) as saved:
                return cls(
                    saved['stamps_ns'], saved['positions'], saved['origins'], saved['extents'], str(saved['problem'])
                )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):  # never written, or half as power failed
            return None


def watch(video: Path, choice: PoseChoice, spans: Spans) -> Actors:
    """Read a whole video once and look at each actor in the spans. Of a damaged or cut off one, what is there.

    Looking is nearly all of the work; nobody needs to look at who listens, or at what is not used.

    :raises MediaError: if it cannot be opened or holds no video.
    """
    reader = MediaReader(video)
    if not reader.has_video:
        raise MediaError(f'{video} holds no video')
    estimators = {side: choice.create() for side in _SIDES if spans[side]}
    stamps, positions, origins, extents = [], [], [], []
    nobody = np.full((len(SPEC.joints), 3), np.nan, np.float32)
    try:
        for frame in reader.video():
            found: list[list[Skeleton]] = [[] for _ in _SIDES]
            for people, side in zip(found, _SIDES, strict=True):
                if any(start - LEAD <= frame.stamp_ns <= end for start, end in spans[side]):
                    half = np.ascontiguousarray(frame.image[:, side.columns(frame.image.shape[1])])
                    people += estimators[side].estimate(half, frame.stamp_ns)
            stamps.append(frame.stamp_ns)
            positions.append(np.stack([people[0].positions if people else nobody for people in found]))
            origins.append([people[0].origin if people else nobody[0] for people in found])
            extents.append([people[0].extent if people else np.nan for people in found])
    finally:
        for estimator in estimators.values():
            estimator.close()
    for _ in reader.audio():  # only a file that was read whole tells its problem
        pass
    problem = reader.problem()
    return Actors(
        np.array(stamps, np.int64),
        np.reshape(np.array(positions, np.float32), (-1, *(len(_SIDES), *nobody.shape))).swapaxes(0, 1),
        np.reshape(np.array(origins, np.float32), (-1, len(_SIDES), 3)).swapaxes(0, 1),
        np.reshape(np.array(extents, np.float32), (-1, len(_SIDES))).T,
        '' if problem is None else str(problem).removeprefix(f'{video} '),
    )


def _version(backend: str) -> str | None:
    try:
        return importlib.metadata.version(backend)
    except importlib.metadata.PackageNotFoundError:
        return None
