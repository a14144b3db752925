# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Teaching the audio encoder: one recipe, for the shipped checkpoint and for the results on people never heard."""
from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from smern_ros import models
from smern_ros.models.inputs import InputEncoder, Normalisation
from smern_ros.models.person_statistics import PersonStatistics, PriorWeights
from smern_ros.models.voice import Voice
from smern_ros.spec import LABELS
from smern_ros.training.audio.speaker_context import known_by_chance
from smern_ros.training.common.normalisation import PERSON, of_audio
from smern_ros.training.common.splits import folds
from smern_ros.training.corpora import Clip
from smern_ros.training.open_model.samples import audio_batch
from smern_ros.values import AudioFeatures

Item = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""(T, 39), (35,) and (768,), what `InputEncoder.audio` makes of an utterance."""


@dataclass(frozen=True)
class AudioRecipe:
    """What was found by leaving out an eighth of the speakers at a time, and one corpus at a time, all without the test
    speakers (docs/results.md: what each is worth).

    Tried and left: one hidden layer with dropout, which was no better for strangers of known corpora and worse for
    those of others; a weaker penalty, likewise.
    """

    variants: int = 4               # altered copies of each utterance
    penalty: float = 0.1            # on the squared weights, to the loss of a sample
    acoustic: float = 0.5           # deviation of MFCC and prosody, of which the penalty thus allows less; 0: not used
    person: PriorWeights = PERSON
    committee: bool = True          # else one regression alone tells the emotion


RECIPE = AudioRecipe()
STEPS = 100
"""Of L-BFGS, at most."""
SPEAKER_PENALTY = 1.0
"""Of the regression for a single speaker, who has far fewer utterances than there are inputs; chosen, as the number of
directions, by what labels of speakers left out then teach, all without the test speakers."""


@dataclass(frozen=True, eq=False)
class LabelledSpeech:
    """An utterance as the encoder may come to hear it."""

    clip: Clip
    versions: Sequence[AudioFeatures]  # as recorded, then altered copies

    @property
    def label(self) -> int:
        return LABELS.index(self.clip.label)


def audio_only(spoken: Sequence[LabelledSpeech]) -> Normalisation:
    """Of these utterances, which are those learnt from; movement is left as it is."""
    return replace(Normalisation.identity(), **of_audio([s.versions for s in spoken]))


def known_items(
    spoken: Sequence[LabelledSpeech], inputs: InputEncoder, generator: np.random.Generator
) -> tuple[list[list[Item]], list[LabelledSpeech]]:
    """Tensors of the versions of each utterance, and the utterances; without those that cannot be used.

    Each version is normalised by its speaker, of whom a chance number of other utterances is known, altered in the same
    manner: the encoder must do with little and with much.
    """
    by_speaker: dict[str, list[int]] = defaultdict(list)
    for i, s in enumerate(spoken):
        by_speaker[s.clip.speaker].append(i)
    statistics: dict[tuple[str, int], list[PersonStatistics]] = {}
    items, usable = [], []
    for i, s in enumerate(spoken):
        of_clip = []
        for v, features in enumerate(s.versions):
            same = by_speaker[s.clip.speaker]
            if (s.clip.speaker, v) not in statistics:
                statistics[s.clip.speaker, v] = [inputs.person_statistics(spoken[k].versions[v]) for k in same]
            known = known_by_chance(statistics[s.clip.speaker, v], same.index(i), generator)
            item = inputs.audio(features, known)
            if item is not None:
                of_clip.append(item)
        if of_clip:
            items.append(of_clip)
            usable.append(s)
    return items, usable


def train_voice(
    spoken: Sequence[LabelledSpeech], inputs: InputEncoder, seed: int, *, recipe: AudioRecipe = RECIPE
) -> Voice:
    """An encoder that has learnt from these utterances, all versions of each.

    Logistic regressions with a squared penalty, once on everything and once without the speech encoder: one of all
    utterances and, for the committee, of all but each group (`groups_of`). The vector is their four logits together and
    the directions in which emotions differ in single speakers, from which a person's labels teach
    a correction (`smern_ros.emotion.adaptation`).

    :param inputs: with the normalisation of these utterances and the weights of `recipe.person`.
    """
    items, usable = known_items(spoken, inputs, np.random.default_rng(seed))
    of_clip = torch.tensor([i for i, versions in enumerate(items) for _ in versions])
    counts = torch.tensor([len(versions) for versions in items])
    weights = (weights_of(usable) / counts)[of_clip]
    labels = torch.tensor([s.label for s in usable])[of_clip]
    joined = models.build('voice').joined
    x = torch.cat([joined(*audio_batch(versions, [0] * len(versions))[0]) for versions in items])
    speakers = np.array([s.clip.speaker for s in usable])[of_clip.numpy()]
    groups = np.array(groups_of(usable) if recipe.committee else [''] * len(usable))[of_clip.numpy()]
    return fitted(x, Weighted(labels, weights / weights.sum(), speakers, groups), recipe)


def groups_of(spoken: Sequence[LabelledSpeech]) -> list[str]:
    """Of each utterance what is left out to see strangers: its corpus, or of a single corpus its speaker."""
    several = len({s.clip.corpus for s in spoken}) > 1
    return [s.clip.corpus if several else s.clip.speaker for s in spoken]


def fitted(x: torch.Tensor, samples: Weighted, recipe: AudioRecipe = RECIPE) -> Voice:
    """The encoder that `teach` makes, of what its layers read.

    :param x: (N, 881), of `Voice.joined`.
    """
    network = models.build('voice', members=len(_members(samples.groups)))
    size = network.config.speech
    scale = torch.cat([torch.ones(size), torch.full((x.shape[1] - size,), recipe.acoustic)])
    _fit(network.whole, x, scale, samples, recipe.penalty)
    _fit(network.acoustic, x[:, size:], torch.ones(x.shape[1] - size), samples, recipe.penalty)
    with torch.no_grad():
        network.output.weight.copy_(torch.eye(len(LABELS), network.config.out))
        network.output.bias.zero_()
    return network.eval()


class Weighted(NamedTuple):
    """What is known of each sample."""

    labels: torch.Tensor   # (N,) of 0..3
    weights: torch.Tensor  # (N,) of sum 1
    speakers: np.ndarray   # (N,)
    groups: np.ndarray     # (N,) each is left out by one member of the committee; of a single one there is no other


def _members(groups: np.ndarray) -> list[list[int]]:
    """Rows that each member of the committee learns from."""
    everything = list(range(len(groups)))
    return [everything, *(kept for kept, _ in folds(groups.tolist()))] if len(set(groups)) > 1 else [everything]


def _fit(layer: nn.Linear, x: torch.Tensor, scale: torch.Tensor, samples: Weighted, penalty: float) -> None:
    """Sets a layer: first the logits, then directions in which emotions differ in single speakers.

    :param x: (N, D).
    :param scale: (D,), deviation that each input is brought to.
    """
    mean = samples.weights @ x
    factor = scale / ((samples.weights @ (x - mean) ** 2).sqrt() + 1e-4)
    z = (x - mean) * factor                                                            # (N, D)
    members = [
        logistic_regression(z[rows], samples.labels[rows], samples.weights[rows] / samples.weights[rows].sum(), penalty)
        for rows in _members(samples.groups)
    ]
    others = speaker_directions(z, samples, layer.out_features - len(LABELS) * len(members))  # (28, D)
    with torch.no_grad():
        layer.weight.copy_(torch.cat([*(member.weight for member in members), others]) * factor)
        bias = torch.cat([*(member.bias for member in members), torch.zeros(len(others))])
        layer.bias.copy_(bias - layer.weight @ mean)


def speaker_directions(x: torch.Tensor, samples: Weighted, count: int) -> torch.Tensor:
    """Of a logistic regression for each speaker alone, the principal directions of all their weights.

    What tells the emotions of many single speakers apart is where those of the next one are to be looked for.

    :param x: (N, D).
    :return: (count, D) orthonormal; zero where so many speakers do not have so many.
    """
    found = []
    for speaker in sorted(set(samples.speakers)):
        rows = torch.from_numpy(samples.speakers == speaker)
        weights = samples.weights[rows] / samples.weights[rows].sum()
        own = x[rows] - weights @ x[rows]
        found.append(logistic_regression(own, samples.labels[rows], weights, SPEAKER_PENALTY).weight)
    _, sizes, directions = torch.linalg.svd(torch.cat(found), full_matrices=False)
    directions = directions[sizes > 1e-5 * sizes[0]][:count]
    return torch.cat([directions, torch.zeros(count - len(directions), x.shape[1])])


def logistic_regression(x: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor, penalty: float) -> nn.Linear:
    """The layer that minimises  Σ weight_i · cross-entropy_i + penalty · |W|² / 2:  a convex problem, by L-BFGS.

    :param x: (N, D).
    :param labels: (N,) of 0..3.
    :param weights: (N,) of sum 1.
    """
    layer = nn.Linear(x.shape[1], len(LABELS))
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    optimiser = torch.optim.LBFGS(layer.parameters(), max_iter=STEPS, history_size=10, line_search_fn='strong_wolfe')

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        errors = functional.cross_entropy(layer(x), labels, reduction='none') @ weights
        value = errors + penalty * (layer.weight**2).sum() / 2
        value.backward()
        return value

    optimiser.step(loss)
    if not all(bool(p.isfinite().all()) for p in layer.parameters()):
        raise ValueError('the logistic regression diverged; some of its inputs may not be finite')
    return layer.requires_grad_(False)


def weights_of(spoken: Sequence[LabelledSpeech]) -> torch.Tensor:
    """(N,) of their losses, mean 1: each corpus counts the same, and so does each label within a corpus.

    Else a large corpus drowns a small one, and strangers who speak as in the small one are heard as in the large one.
    """
    cells = Counter((s.clip.corpus, s.label) for s in spoken)
    labels = Counter(corpus for corpus, _ in cells)
    weights = torch.tensor([1 / (cells[s.clip.corpus, s.label] * labels[s.clip.corpus]) for s in spoken])
    return weights / weights.mean()


@torch.inference_mode()
def probabilities(network: nn.Module, items: Sequence[Item], batch: int = 64) -> np.ndarray:
    """(N, 4) float32 of what was heard, from the encoder's own output layer."""
    logits = [network(*audio_batch(items[i : i + batch], [0] * batch)[0]) for i in range(0, len(items), batch)]
    return torch.cat(logits).softmax(dim=1).numpy()
