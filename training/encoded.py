"""What the trained encoders make of the samples: the sources that the fusion is trained on."""
from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from smern_ros.models.are import ARE
from smern_ros.models.smacn import SMACN
from smern_ros.models.tre import TRE
from smern_ros.training.encoders import audio_items, random_windows, skeleton_dev_items, text_items
from smern_ros.training.fusion import Source
from smern_ros.training.samples import Samples, audio_batch, skeleton_batch, text_batch

BATCH = 32


def sources(samples: Samples, are: ARE, tre: TRE, smacn: SMACN, windows: int, seed: int) -> tuple[list, list]:
    """Sources of audio, text and skeleton for training, and those for development.

    For training the encoders keep their dropout: on what they were trained on they are surer than they will ever be
    on anything new, and the fusion would learn to trust them too much.

    :param windows: of movement, for training.
    """
    torch.manual_seed(seed)
    versions, labels = audio_items(samples, 'train')
    heard = [version for of_clip in versions for version in of_clip]
    heard_labels = [label for of_clip, label in zip(versions, labels, strict=True) for _ in of_clip]
    generator = np.random.default_rng(seed)
    seen, seen_labels = [], []
    for _ in range(max(windows // BATCH, 1)):
        items, of_items = random_windows(samples, BATCH, generator)
        seen += items
        seen_labels += of_items
    train = [
        _encode(are, heard, heard_labels, audio_batch, dropout=True),
        _encode(tre, *text_items(samples, 'train'), text_batch, dropout=True),
        _encode(smacn, seen, seen_labels, skeleton_batch, dropout=True),
    ]
    dev = [
        _encode(are, *audio_items(samples, 'dev'), audio_batch),
        _encode(tre, *text_items(samples, 'dev'), text_batch),
        _encode(smacn, *skeleton_dev_items(samples), skeleton_batch),
    ]
    return train, dev


@torch.no_grad()
def _encode(
    encoder: nn.Module, items: Sequence, labels: Sequence[int], batch: Callable, *, dropout: bool = False
) -> Source:
    encoder.train(dropout)
    vectors = []
    for i in range(0, len(items), BATCH):
        inputs, _ = batch(items[i : i + BATCH], labels[i : i + BATCH])
        vectors.append(encoder.features(*inputs))
    encoder.eval()
    return Source(torch.cat(vectors), labels)
