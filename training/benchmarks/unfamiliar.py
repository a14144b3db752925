# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is recognised as movement unlike all that was learnt: of contents left out, people who sit, and real footage."""
from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from smern_ros import assets
from smern_ros.demo.clip import VIDEO_ASSET
from smern_ros.emotion import checkpoint as checkpoints
from smern_ros.emotion.offline import Analyser
from smern_ros.emotion.predictor import EmotionPredictor
from smern_ros.emotion.shipped_checkpoints import checkpoint_folder
from smern_ros.media.reader import MediaReader, VideoFrame
from smern_ros.skeleton import pose as poses
from smern_ros.skeleton.features import model_input
from smern_ros.skeleton.posture import Posture
from smern_ros.spec import LABELS, SKELETON
from smern_ros.training.benchmarks.experiment import Need
from smern_ros.training.common.cache import SKELETON_FEATURES, Stages
from smern_ros.training.common.splits import Split, require_disjoint
from smern_ros.training.corpora import Motion, bandai
from smern_ros.training.skeleton import posture_trainer
from smern_ros.training.skeleton.windows import CAPTURED, SEEN, STILL, LabelledWindow
from smern_ros.values import SECOND, SkeletonWindow

SEATED, SIGNERS, DEMO = 'people who sit, made of the clips left out', 'signers, filmed', 'the demo, filmed'
"""What is to be recognised: the first as it was learnt, of other clips; of the films nothing was learnt."""
HELD_OUT = {f'left out, {manner}': manner for manner in (CAPTURED, SEEN, STILL)}
COUNT = 200
WINDOW, STEP = 2 * SECOND, SECOND
_MODULES = (
    *SKELETON_FEATURES,
    'smern_ros.models',
    'smern_ros.emotion.predictor',
    'smern_ros.skeleton',
    'smern_ros.spec',
    'smern_ros.training.corpora',
    'smern_ros.training.skeleton.skeleton_augment',
    'smern_ros.training.benchmarks.unfamiliar',
    'smern_ros.training.skeleton.posture_trainer',
    'smern_ros.training.skeleton.windows',
)


class WindowSource(Protocol):
    """Where the clips are (`skeleton.SkeletonSource`)."""

    data: Path
    cache: Path
    trial: bool

    def clips(self) -> list[Motion]: ...
    def windows(self) -> list[LabelledWindow]: ...
    @property
    def folds(self) -> tuple[str, ...]: ...


def fit_posture(learn: Sequence[LabelledWindow], clips: Sequence[Motion]) -> Posture:
    """:param clips: those of `learn`, and others, of which nothing is learnt."""
    ids = {s.clip for s in learn}
    return posture_trainer.fit(learn, [clip for clip in clips if clip.id in ids], 0)


def need(source: WindowSource) -> Need:
    return Need('movement unlike what was learnt', partial(_measured, source))


def grid(source: WindowSource) -> list[tuple[str, ...]]:
    """The head, and a line for each kind of windows: the share recognised, and what the checkpoint would say of all."""
    kept = _measured(source)
    lines = [('windows', *(f'{fold} left out' for fold in source.folds), 'number for the checkpoint', 'it recognises',
              'it would call sad', 'surer than 50 % of that', 'mean confidence')]
    for name in dict.fromkeys(key.partition('|')[0] for key in kept):
        cells = []
        for k in range(len(source.folds)):
            scores, known = kept[f'{name}|{k}'].numpy(), kept[f'left out, {SEEN}|{k}'].numpy()
            auc = '' if name in HELD_OUT else f' (AUC {_auc(known, scores):.2f})'
            cells.append(f'{_percent(scores > 0)}{auc}')
        probabilities = kept[f'{name}|probabilities'].numpy()
        sad = probabilities.argmax(axis=1) == LABELS.index('sad')
        lines.append((
            name, *cells, str(len(probabilities)), _percent(kept[f'{name}|checkpoint'].numpy() > 0), _percent(sad),
            _percent(sad & (probabilities.max(axis=1) > 0.5)), f'{probabilities.max(axis=1).mean():.2f}',
        ))
    return lines


def _measured(source: WindowSource) -> dict[str, torch.Tensor]:
    """Of each kind of windows the scores by each fold and by the checkpoint, and what that says of them, from the cache
    if it can. All folds score the same windows of films; the checkpoint those of the contents that it did not learn."""
    folder = checkpoint_folder()
    stages = Stages(source.cache, [checkpoints.digest(folder), source.trial])
    return stages.tensors('unfamiliar', _MODULES, partial(_measure, source, folder))


def _measure(source: WindowSource, folder: Path) -> dict[str, torch.Tensor]:
    from smern_ros.training.benchmarks.skeleton import FRAMES, leave_out

    clips, windows, films = source.clips(), source.windows(), footage(source.data, source.trial)
    filmed = {name: [model_input(window) for window in windows] for name, windows in films.items()}

    def kinds(test: Sequence[LabelledWindow]) -> dict[str, list[tuple[np.ndarray, np.ndarray]]]:
        ids = {s.clip for s in test}
        seated = posture_trainer.seated([c for c in clips if c.id in ids], COUNT, np.random.default_rng(1))
        return {
            **{name: [(s.x, s.visible) for s in test if (s.frames, s.manner) == (FRAMES, manner)]
               for name, manner in HELD_OUT.items()},
            SEATED: [model_input(window) for window in seated], **filmed,
        }

    found: dict[str, torch.Tensor] = {}
    for k, fold in enumerate(source.folds):
        learn, test = leave_out(windows, fold.split(bandai.AND))
        require_disjoint(Split(train=learn, dev=(), test=test), lambda s: s.clip)
        found |= _scores(fit_posture(learn, clips), kinds(test), str(k))
    predictor = EmotionPredictor.load(folder)
    contents = predictor.checkpoint.training['held_out']['contents']
    inputs = kinds([s for s in windows if s.content in contents])
    assert predictor.checkpoint.posture is not None, 'the one that is shipped has it'
    found |= _scores(predictor.checkpoint.posture, inputs, 'checkpoint')
    bare = EmotionPredictor(replace(predictor.checkpoint, posture=None))
    for name, of_kind in inputs.items():
        vectors = [_encoded(bare, x, visible) for x, visible in of_kind]
        found[f'{name}|probabilities'] = torch.from_numpy(np.stack(
            [bare.fuse({SKELETON: vector}).probabilities for vector in vectors]
        ))
    return found


def _scores(
    made: Posture, inputs: dict[str, list[tuple[np.ndarray, np.ndarray]]], by: str
) -> dict[str, torch.Tensor]:
    return {
        f'{name}|{by}': torch.tensor([made.unlikeness(*one) for one in of_kind]) for name, of_kind in inputs.items()
    }


def _encoded(predictor: EmotionPredictor, x: np.ndarray, visible: np.ndarray) -> torch.Tensor | None:
    """Of what went through `model_input`, which changes nothing if it is done again."""
    positions = x.reshape(len(x), -1, 3)
    return predictor.encode_skeleton(SkeletonWindow('', 0, WINDOW, positions, visible, 0.3))


def footage(data: Path, trial: bool) -> dict[str, list[SkeletonWindow]]:
    """Windows of the films that are there, by what they show, through the pose estimation of a robot."""
    films = {SIGNERS: sorted((data / 'video_upperbody' / 'asl_gestures').glob('*.mkv'))[: 2 if trial else None]}
    if not trial:
        with suppress(assets.MissingAsset):
            films[DEMO] = [assets.path(VIDEO_ASSET)]
    found = {name: [window for file in files for window in _windows(file)] for name, files in films.items()}
    return {name: windows for name, windows in found.items() if windows}


def _windows(film: Path) -> list[SkeletonWindow]:
    """Of whoever is nearest, WINDOW long, one each STEP; of a shorter film one."""
    with closing(poses.create('mediapipe')) as estimator, closing(MediaReader(film)) as media:
        analyser, found, start_ns, newest_ns = Analyser(pose=estimator), [], None, 0
        for item in media:
            if isinstance(item, VideoFrame):
                analyser.add_frame(item)
                newest_ns = item.stamp_ns
                start_ns = newest_ns if start_ns is None else start_ns
                if newest_ns >= start_ns + WINDOW:
                    found.append(analyser.skeleton_window(start_ns, start_ns + WINDOW))
                    start_ns += STEP
        if not found and start_ns is not None:
            found.append(analyser.skeleton_window(start_ns, newest_ns))
    return [window for window in found if window is not None]


def _auc(known: np.ndarray, unlike: np.ndarray) -> float:
    """The chance that a window that is unlike scores higher than one that is not; ties count half."""
    higher, same = unlike[:, None] > known[None], unlike[:, None] == known[None]
    return float(np.mean(higher + 0.5 * same))


def _percent(flags: np.ndarray) -> str:
    return f'{100 * np.mean(flags):.0f} %'
