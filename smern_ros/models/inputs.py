"""Features to tensors: normalised, bounded in length. Training and prediction both come through here."""
from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import torch

from smern_ros.spec import SPEC, FeatureSpec
from smern_ros.text.vocabulary import Vocabulary
from smern_ros.text.words import tokenise
from smern_ros.values import AudioFeatures, SkeletonWindow

MAX_SKELETON_FRAMES = 300
"""10 s: the latest frames of a longer window are taken. It bounds the time that a prediction takes."""

LIMIT = 6.0
"""Standard deviations; no normalised input goes further, so that one odd number cannot outweigh all others."""

F0_MEAN = SPEC.prosody.index('f0_mean')
"""Zero where no frame of the utterance was voiced."""


@dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation of every input, over the training data. Tuples, one number a dimension."""

    mfcc_mean: tuple[float, ...]
    mfcc_std: tuple[float, ...]
    prosody_mean: tuple[float, ...]
    prosody_std: tuple[float, ...]
    skeleton_mean: tuple[float, ...]
    skeleton_std: tuple[float, ...]

    def check(self, spec: FeatureSpec) -> None:
        """:raises ValueError: unless there is one finite number a dimension and every deviation is above zero."""
        sizes = {'mfcc': spec.mfcc, 'prosody': len(spec.prosody), 'skeleton': 3 * len(spec.joints)}
        for field in dataclasses.fields(self):
            values = getattr(self, field.name)
            wanted = sizes[field.name.split('_')[0]]
            if len(values) != wanted:
                raise ValueError(f'normalisation: {field.name} has {len(values)} numbers; wanted {wanted}')
            for i, value in enumerate(values):
                if not math.isfinite(value) or (field.name.endswith('std') and value <= 0):
                    raise ValueError(f'normalisation: {field.name}[{i}] is {value}; a deviation is finite and above 0')

    @classmethod
    def identity(cls, spec: FeatureSpec = SPEC) -> Normalisation:
        """Leaves every input as it is."""
        sizes = (spec.mfcc, len(spec.prosody), 3 * len(spec.joints))
        return cls(*(value for n in sizes for value in ((0.0,) * n, (1.0,) * n)))


class InputEncoder:
    """Turns the evidence of one utterance into what the encoders take, without a batch dimension."""

    def __init__(self, normalisation: Normalisation, vocabulary: Vocabulary, spec: FeatureSpec = SPEC):
        normalisation.check(spec)
        self.spec = spec
        self.normalisation = normalisation
        self.vocabulary = vocabulary
        self._scale = {
            name: tuple(
                np.asarray(getattr(normalisation, f'{name}_{part}'), np.float32) for part in ('mean', 'std')
            )
            for name in ('mfcc', 'prosody', 'skeleton')
        }

    def audio(self, features: AudioFeatures) -> tuple[torch.Tensor, torch.Tensor] | None:
        """(T, 39), (35,); None if there is no frame, or none that was voiced.

        Of a long utterance the first `max_audio_frames` are read, as the base model [30] does; the prosodic values
        are of the whole.

        :raises ValueError: for another shape, or for numbers that are not finite.
        """
        _check_array('mfcc', features.mfcc, None, self.spec.mfcc)
        _check_array('prosody', features.prosody, len(self.spec.prosody))
        if len(features.mfcc) == 0 or features.prosody[F0_MEAN] == 0:
            return None
        return (
            self.normalise('mfcc', features.mfcc[: self.spec.max_audio_frames]),
            self.normalise('prosody', features.prosody),
        )

    def text(self, text: str) -> torch.Tensor | None:
        """(N,) int64 rows of the vocabulary; None if no word is known."""
        tokens = tokenise(text, self.spec.max_words)
        if not self.vocabulary.knows_any_word(tokens):
            return None
        return torch.tensor(self.vocabulary.rows(tokens))

    def skeleton(self, window: SkeletonWindow) -> tuple[torch.Tensor, torch.Tensor] | None:
        """(T, 30) zero where not visible, (T, 10) bool; None if no joint is visible in any frame.

        :raises ValueError: for another shape, or for numbers that are not finite.
        """
        from smern_ros.skeleton.features import model_input

        _check_array('positions', window.positions, None, len(self.spec.joints), 3)
        return self.movement(*model_input(window, self.spec))

    def movement(self, x: np.ndarray, visible: np.ndarray) -> tuple[torch.Tensor, torch.Tensor] | None:
        """The same of a window that went through `model_input` already.

        :param x: (T, 30), not normalised.
        :param visible: (T, 10) bool.
        """
        x, visible = x[-MAX_SKELETON_FRAMES:], visible[-MAX_SKELETON_FRAMES:]
        if not visible.any():
            return None
        seen = torch.from_numpy(np.array(visible))  # a copy: features on disk may be mapped read-only
        return self.normalise('skeleton', x) * seen.repeat_interleave(3, dim=1), seen

    def normalise(self, name: str, values: np.ndarray) -> torch.Tensor:
        """:param values: (..., D) of 'mfcc', 'prosody' or 'skeleton'."""
        mean, std = self._scale[name]
        return torch.from_numpy(np.clip((values - mean) / std, -LIMIT, LIMIT).astype(np.float32))


def _check_array(name: str, values: np.ndarray, *wanted: int | None) -> None:
    fits = values.ndim == len(wanted) and all(w is None or w == s for w, s in zip(wanted, values.shape, strict=True))
    if not fits:
        shape = ' x '.join('any' if w is None else str(w) for w in wanted)
        raise ValueError(f'{name} has the shape {values.shape}; wanted {shape}')
    if not np.isfinite(values).all():
        raise ValueError(f'{name} holds numbers that are not finite; the extractor that made them is at fault')
