# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Networks of mmpose and mmdet from their configs and the user's checkpoints. Nothing is ever downloaded."""
from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from smern_ros.skeleton.pose import MissingLibrary
from smern_ros.utils import import_shims, model_hub
from smern_ros.utils.file_size import require_size

PERSON = 'person'
LARGEST = 2 << 30
"""Bytes of a checkpoint."""


class PoseModel:
    """2D keypoints of people in boxes (top-down), COCO-17.

    :param config: a file, or a path within mmpose's own configs. :param weights: a checkpoint; '' needs `random`.
    """

    def __init__(self, config: str, weights: str, *, random: bool) -> None:
        self._model = _model('mmpose', config, weights, random=random)
        self._infer: Callable = _apis('mmpose').inference_topdown
        count = (self._model.dataset_meta or {}).get('num_keypoints')
        if count != 17:
            raise ValueError(f'the 2D pose model {config} finds {count} keypoints; expected the 17 of COCO')

    def keypoints(self, image_bgr: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """:param boxes: (N, 4) pixels, x1, y1, x2, y2.
        :return: (N, 17, 2) pixels and (N, 17) confidences, 0..1.
        """
        people = [sample.pred_instances for sample in self._infer(self._model, image_bgr, boxes)]
        confidences = np.stack([p.keypoint_scores[0] for p in people])  # peaks of SimCC, which may exceed 1
        return np.stack([p.keypoints[0] for p in people]), np.clip(confidences, 0, 1)


class Lifter:
    """Joints in space from a sequence of joints in the image, Human3.6M-17 both (VideoPose3D, [40] of the paper)."""

    def __init__(self, config: str, weights: str, *, random: bool) -> None:
        self._model = _model('mmpose', config, weights, random=random)
        from mmengine.dataset import Compose, pseudo_collate
        from mmengine.registry import init_default_scope

        init_default_scope('mmpose')
        dataset = self._model.cfg.test_dataloader.dataset
        self._collate, self._prepare = pseudo_collate, Compose(dataset.pipeline)
        self.frames = int(dataset.get('seq_len', 1))
        """Length of the sequence that the network sees."""
        self._target = self.frames - 1 if dataset.get('causal', False) else self.frames // 2
        try:
            shape = self.lift(np.zeros((1, 17, 2), np.float32), 640, 480).shape
        except Exception as error:  # whatever another kind of network makes of it
            raise ValueError(f'{config} is no lifter of the kind video-pose-lift: {error}') from error
        if shape != (17, 3):
            raise ValueError(f'the lifter {config} answers with an array of shape {shape}; expected (17, 3)')

    @property
    def past(self) -> int:
        """How many frames up to the current one it can use."""
        return self._target + 1

    def lift(self, sequence: np.ndarray, width: int, height: int) -> np.ndarray:
        """Joints of the last frame. Before the first and after the last frame the edges are repeated: no delay.

        :param sequence: (T, 17, 2) pixels. :return: (17, 3) metres from the pelvis, optical axes.
        """
        last = len(sequence) - 1
        frames = np.clip(np.arange(self.frames) - self._target + last, 0, last)
        fields = {
            'keypoints': sequence[frames].astype(np.float32),                 # (frames, 17, 2)
            'keypoints_visible': np.ones((self.frames, 17), np.float32),
            'lifting_target': np.zeros((1, 17, 3), np.float32),               # the pipeline of training wants one
            'lifting_target_visible': np.ones((1, 17, 1), np.float32),
            'factor': np.zeros(self.frames, np.float32),
            'camera_param': {'w': width, 'h': height},
        }
        import torch

        with torch.no_grad():
            batch = self._collate([self._prepare(fields | (self._model.dataset_meta or {}))])
            result = self._model.test_step(batch)[0].pred_instances.keypoints
        return np.asarray(result, np.float32).reshape(-1, result.shape[-1])


class Detector:
    """People's boxes, the surest first."""

    def __init__(self, config: str, weights: str, *, random: bool) -> None:
        self._model = _model('mmdet', config, weights, random=random)
        self._infer: Callable = _apis('mmdet').inference_detector
        classes = self._model.dataset_meta['classes']
        if PERSON not in classes:
            raise ValueError(f'the detector {config} finds {", ".join(classes[:5])} ..., but no {PERSON!r}')
        self._person = classes.index(PERSON)

    def boxes(self, image_bgr: np.ndarray, *, most: int, min_score: float) -> tuple[np.ndarray, np.ndarray]:
        """(N, 4) pixels, x1, y1, x2, y2, and (N,) confidences; N is at most `most`."""
        found = self._infer(self._model, image_bgr).pred_instances.cpu().numpy()
        people = np.flatnonzero((found.labels == self._person) & (found.scores >= min_score))
        people = people[np.argsort(-found.scores[people], kind='stable')][:most]
        return found.bboxes[people], found.scores[people]


def _model(package: str, config: str, weights: str, *, random: bool) -> Any:
    """
    :param package: mmpose or mmdet.
    :raises ValueError: if the config or the checkpoint is not there.
    :raises MissingLibrary: naming what to install.
    """
    if not weights and not random:
        raise ValueError(f'no checkpoint for {config}: give one, or set allow_random_weights to see the node run')
    if weights and not Path(weights).is_file():
        raise ValueError(f'no checkpoint at {weights}; give a file, nothing is downloaded')
    if weights:
        require_size(Path(weights), LARGEST)
    apis = _apis(package)
    init = apis.init_model if package == 'mmpose' else apis.init_detector
    with warnings.catch_warnings(), _numpy_in_checkpoints():
        warnings.simplefilter('ignore')  # on deprecated calls within mmengine
        return init(str(_config(package, config)), weights or None, device='cpu')


def _apis(package: str) -> Any:
    """mmpose.apis or mmdet.apis."""
    try:
        import torch

        model_hub.use()  # mmdet imports transformers
        import_shims.torchaudio()  # which imports it
        import_shims.torchvision()
        torch.set_num_threads(1)  # it runs beside other nodes
        with import_shims.mmcv(), warnings.catch_warnings():
            warnings.simplefilter('ignore')
            return importlib.import_module(f'{package}.apis')
    except ImportError as error:
        raise MissingLibrary(
            f'the pose backend mmpose is not installed ({error}): make mmpose, or see requirements/mmpose.txt'
        ) from error


def _config(package: str, config: str) -> Path:
    root = Path(importlib.import_module(package).__file__ or '').parent / '.mim/configs'
    for path in (Path(config), root / config):
        if path.is_file():
            return path
    raise ValueError(f'no config at {config}, and none of that name in {root}')


@contextmanager
def _numpy_in_checkpoints() -> Iterator[None]:
    """Lets checkpoints carry NumPy arrays and mmengine's log buffers beside weights, as theirs do, and no code."""
    import torch
    from mmengine.logging import HistoryBuffer
    from numpy._core import multiarray

    allowed: list = [HistoryBuffer, np.ndarray, np.dtype]
    allowed += [kind for kind in vars(np.dtypes).values() if isinstance(kind, type)]
    for module in ('numpy._core', 'numpy.core'):  # as NumPy 2 and 1 write it
        allowed += [(getattr(multiarray, name), f'{module}.multiarray.{name}') for name in ('_reconstruct', 'scalar')]
    with torch.serialization.safe_globals(allowed):
        yield
