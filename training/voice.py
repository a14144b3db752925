"""Teaching the audio encoder: one recipe, for the shipped checkpoint and for the results on people never heard."""
from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from smern_ros import models
from smern_ros.models.are import ARE
from smern_ros.models.inputs import InputEncoder, Normalisation
from smern_ros.persons import PersonStatistics, PriorWeights
from smern_ros.spec import LABELS
from smern_ros.training.corpora import Clip
from smern_ros.training.loop import clip_norm
from smern_ros.training.persons import known_by_chance
from smern_ros.training.samples import audio_batch, in_length_buckets
from smern_ros.training.scaling import PERSON, of_audio
from smern_ros.values import AudioFeatures

Item = tuple[torch.Tensor, torch.Tensor]
"""(T, 39) and (35,), what `InputEncoder.audio` makes of an utterance."""


@dataclass(frozen=True)
class Recipe:
    """What was found on the development speakers (docs/results.md names them): each figure with one or two seeds.

    Tried there and left, for they gave less than the seeds differ or were worse: a larger share of dropout, mixtures of
    two utterances, shifts by chance of all that is heard of an utterance, and the mean of several networks' opinions.
    """

    hidden: int = 96
    stride: int = 8             # frames: the GRU reads the mean of 80 ms
    pooling: str = 'statistics'
    dropout: float = 0.3
    variants: int = 4           # altered copies of each utterance
    epochs: int = 40
    masked: float = 0.25        # of an utterance's time, at most, is drowned in noise
    masked_cepstra: int = 3     # at most so many neighbouring coefficients, with their differences, are, too
    batch: int = 64
    rate: float = 3e-3          # of AdamW at its highest: a tenth of the steps up, then down along a cosine
    weight_decay: float = 0.01
    label_smoothing: float = 0.05
    person: PriorWeights = PERSON


RECIPE = Recipe()


@dataclass(frozen=True, eq=False)
class Spoken:
    """An utterance as the encoder may come to hear it."""

    clip: Clip
    versions: Sequence[AudioFeatures]  # as recorded, then altered copies

    @property
    def label(self) -> int:
        return LABELS.index(self.clip.label)


def audio_only(spoken: Sequence[Spoken]) -> Normalisation:
    """Of these utterances, which are those learnt from; movement is left as it is."""
    return replace(Normalisation.identity(), **of_audio([s.versions for s in spoken]))


def known_items(
    spoken: Sequence[Spoken], inputs: InputEncoder, generator: np.random.Generator
) -> tuple[list[list[Item]], list[Spoken]]:
    """Tensors of the versions of each utterance, and the utterances; without those that cannot be used.

    Each version is normalised by its speaker, of whom a chance number of other utterances is known, altered in the same
    manner: the encoder must do with little and with much.
    """
    by_speaker: dict[str, list[int]] = defaultdict(list)
    for i, s in enumerate(spoken):
        by_speaker[s.clip.speaker].append(i)
    told: dict[tuple[str, int], list[PersonStatistics]] = {}
    items, usable = [], []
    for i, s in enumerate(spoken):
        of_clip = []
        for v, features in enumerate(s.versions):
            same = by_speaker[s.clip.speaker]
            if (s.clip.speaker, v) not in told:
                told[s.clip.speaker, v] = [inputs.told_by(spoken[k].versions[v]) for k in same]
            known = known_by_chance(told[s.clip.speaker, v], same.index(i), generator)
            item = inputs.audio(features, known)
            if item is not None:
                of_clip.append(item)
        if of_clip:
            items.append(of_clip)
            usable.append(s)
    return items, usable


def teach(
    spoken: Sequence[Spoken], inputs: InputEncoder, seed: int, *, recipe: Recipe = RECIPE,
    report: Callable[[str], object] = lambda text: None,
) -> ARE:
    """An encoder that has learnt from these utterances, a random version of each in each epoch.

    There is no early stopping: a speaker set aside for that is a speaker less to learn from, and thirty utterances of
    one are a noisy judge. The number of epochs belongs to the recipe.

    :param inputs: with the normalisation of these utterances and the weights of `recipe.person`.
    :raises ValueError: if the loss is no finite number any more.
    """
    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    items, usable = known_items(spoken, inputs, generator)
    truth, weights = torch.tensor([s.label for s in usable]), weights_of(usable)
    network = models.build(
        'are', hidden=recipe.hidden, stride=recipe.stride, pooling=recipe.pooling, dropout=recipe.dropout
    )
    optimiser = torch.optim.AdamW(network.parameters(), recipe.rate, weight_decay=recipe.weight_decay)
    steps = recipe.epochs * math.ceil(len(items) / recipe.batch)
    rate = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _warm_cosine(step, steps))
    network.train()
    for epoch in range(recipe.epochs):
        total = 0.0
        chosen = [versions[generator.integers(len(versions))] for versions in items]
        rows = range(len(items))
        batches = in_length_buckets(chosen, rows, lambda item: len(item[0]), audio_batch, recipe.batch, generator)
        for (mfcc, lengths, prosody), of_batch in batches:
            target = truth[of_batch]
            heard = masked(mfcc, lengths, recipe, generator), lengths, prosody
            optimiser.zero_grad()
            losses = functional.cross_entropy(
                network(*heard), target, reduction='none', label_smoothing=recipe.label_smoothing
            )
            loss = (losses * weights[of_batch]).mean()
            loss.backward()
            clip_norm(network.parameters())
            optimiser.step()
            rate.step()
            total += float(loss.detach()) * len(target)
        if not math.isfinite(total):
            raise ValueError(f'audio diverged in epoch {epoch + 1}; a lower learning rate may help')
        report(f'audio epoch {epoch + 1}/{recipe.epochs}: train loss {total / len(items):.3f}')
    return network.eval()


def weights_of(spoken: Sequence[Spoken]) -> torch.Tensor:
    """(N,) of their losses, mean 1: each corpus counts the same, and so does each label within a corpus.

    Else a large corpus drowns a small one, and strangers who speak as in the small one are heard as in the large one.
    """
    cells = Counter((s.clip.corpus, s.label) for s in spoken)
    labels = Counter(corpus for corpus, _ in cells)
    weights = torch.tensor([1 / (cells[s.clip.corpus, s.label] * labels[s.clip.corpus]) for s in spoken])
    return weights / weights.mean()


def masked(
    mfcc: torch.Tensor, lengths: torch.Tensor, recipe: Recipe, generator: np.random.Generator
) -> torch.Tensor:
    """A piece of each utterance and some of its coefficients drowned in noise: nothing may hang on a few of them.

    After D. S. Park et al., "SpecAugment", Interspeech 2019, on cepstra. The noise has the mean and the deviation of
    normalised inputs, so that statistics over time stay what they may be.

    :param mfcc: (B, T, 39) normalised; the 13 coefficients, their first and their second differences.
    :return: (B, T, 39), a copy.
    """
    noise = torch.randn_like(mfcc)
    hidden = torch.zeros(mfcc.shape, dtype=torch.bool)
    cepstra = mfcc.shape[2] // 3
    for i, length in enumerate(lengths.tolist()):
        frames = int(generator.integers(int(recipe.masked * length) + 1))
        start = int(generator.integers(length - frames + 1))
        hidden[i, start : start + frames] = True
        count = int(generator.integers(recipe.masked_cepstra + 1))
        first = int(generator.integers(cepstra - count + 1))
        hidden[i].unflatten(1, (3, cepstra))[:, :, first : first + count] = True
    return torch.where(hidden, noise, mfcc)


@torch.inference_mode()
def probabilities(network: nn.Module, items: Sequence[Item], batch: int = 64) -> np.ndarray:
    """(N, 4) float32 of what was heard, from the encoder's own output layer."""
    logits = [network(*audio_batch(items[i : i + batch], [0] * batch)[0]) for i in range(0, len(items), batch)]
    return torch.cat(logits).softmax(dim=1).numpy()


def _warm_cosine(step: int, steps: int) -> float:
    return min(1.0, (step + 1) / (0.1 * steps)) * 0.5 * (1 + math.cos(math.pi * step / steps))
