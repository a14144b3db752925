# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Adaptation of the fusion to a person from labels: a linear correction of the logits.

The examples are kept and the correction is refitted from the start each time. The problem is convex, so the result does
not depend on the order of the labels, and an undone label has no effect.
"""
from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from smern_ros.emotion.checkpoint import Checkpoint
from smern_ros.emotion.people import EVERYBODY, is_anonymous
from smern_ros.models.smern_ga import Fused, SmernGA
from smern_ros.spec import MODALITIES


@dataclass(frozen=True)
class AdaptationSettings:
    """Hyper-parameters of the adaptation."""

    anchor: float = 150.0  # how little few labels are trusted (`fit`)
    steps: int = 50        # of L-BFGS, at most
    examples: int = 64     # of a person; beyond, the oldest is forgotten
    people: int = 32       # beyond, a voice without a body, or the one who was not labelled for longest, is forgotten
    undos: int = 16        # labels that can be taken back

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise ValueError(f'adaptation setting {name} is {value!r}; it must be above 0')


@dataclass(frozen=True, eq=False)
class Example:
    """A labelled utterance."""

    utterance_id: str
    vectors: Mapping[str, torch.Tensor]  # by modality; without missing ones
    label: str


@dataclass(frozen=True, eq=False)
class VectorScaling:
    """Standardisation of the encoders' vectors for the correction."""

    centres: tuple[torch.Tensor, ...]  # of each modality (D,), from which its vectors are measured
    scales: tuple[torch.Tensor, ...]  # of each modality, the unit in which they are measured

    @classmethod
    def of(cls, vectors: Sequence[torch.Tensor], present: torch.Tensor) -> VectorScaling:
        """Centre on the mean, scale by the root mean square length; arguments as of `stack_vectors`."""
        centres, scales = [], []
        for of_all, here in zip(vectors, present.T, strict=True):
            known = of_all[here] if here.any() else torch.zeros_like(of_all[:1])
            centres.append(known.mean(dim=0))
            scales.append((known**2).sum(dim=1).mean().sqrt().clamp(min=1e-6))
        return cls(tuple(centres), tuple(scales))

    def __call__(self, vectors: Sequence[torch.Tensor], present: torch.Tensor) -> torch.Tensor:
        """(B, D), of all three side by side, zero where a modality is missing."""
        return torch.cat([
            ((vector - centre) / length).masked_fill(~here[:, None], 0.0)
            for vector, centre, length, here in zip(vectors, self.centres, self.scales, present.T, strict=True)
        ], dim=1)


@dataclass(frozen=True, eq=False)
class AdaptedFusion:
    """The checkpoint's fusion with one person's correction; called like the fusion."""

    shared: SmernGA
    scaling: VectorScaling
    weight: torch.Tensor  # (4, D)
    bias: torch.Tensor    # (4,)

    def __call__(
        self, audio: torch.Tensor, text: torch.Tensor, skeleton: torch.Tensor, present: torch.Tensor
    ) -> Fused:
        """See `SmernGA.forward`."""
        fused = self.shared(audio, text, skeleton, present)
        read = self.scaling((audio, text, skeleton), present)
        return fused._replace(logits=fused.logits + nn.functional.linear(read, self.weight, self.bias))


def fit(
    checkpoint: Checkpoint, examples: Sequence[Example], settings: AdaptationSettings = AdaptationSettings()
) -> AdaptedFusion:
    """Fit the correction (W, b) that minimises, for N examples,

        Σ weight_i · cross-entropy_i, after the temperature  +  anchor / N^1.5 · (|W|² + |b|²) / 2

    Weights balance the labelled emotions. The penalty pulls towards the checkpoint's fusion, as in L2-SP (Li,
    Grandvalet and Davoine, 2018), so that few labels change little. The input is the encoders' vectors, which carry
    more of a person than the fusion's last layer. The paper (section V-C) fine-tunes a whole SMACN, on 2 to 50 % of two
    new speakers' data.
    """
    vectors, present = stack_vectors(checkpoint, examples)
    names = checkpoint.spec.labels
    labels = torch.tensor([names.index(e.label) for e in examples])
    counts = torch.bincount(labels, minlength=len(names))
    weights = len(labels) / (counts > 0).sum() / counts[labels]                       # (N,), of sum N
    subsets = ['+'.join(m for m in MODALITIES if m in e.vectors) for e in examples]
    temperatures = torch.tensor([[checkpoint.temperatures[subset]] for subset in subsets])
    scaling = VectorScaling.of(vectors, present)
    with torch.no_grad():
        shared = checkpoint.fusion(*vectors, present).logits                          # (N, 4)
        read = scaling(vectors, present)                                              # (N, D)
    weight = torch.zeros(len(names), read.shape[1], requires_grad=True)
    bias = torch.zeros(len(names), requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=settings.steps, line_search_fn='strong_wolfe')

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        logits = (shared + nn.functional.linear(read, weight, bias)) / temperatures   # (N, 4)
        errors = nn.functional.cross_entropy(logits, labels, reduction='none') @ weights
        value = errors + settings.anchor / len(labels)**1.5 * ((weight**2).sum() + (bias**2).sum()) / 2
        value.backward()
        return value

    optimiser.step(loss)
    return AdaptedFusion(checkpoint.fusion, scaling, weight.detach(), bias.detach())


def stack_vectors(checkpoint: Checkpoint, examples: Sequence[Example]) -> tuple[list[torch.Tensor], torch.Tensor]:
    """As `SmernGA.forward` takes them: (N, D) of each modality, zero where it is missing, and (N, 3) bool."""
    sizes = {m: getattr(checkpoint.fusion.config, m) for m in MODALITIES}
    vectors = [torch.stack([e.vectors.get(m, torch.zeros(size)) for e in examples]) for m, size in sizes.items()]
    return vectors, torch.tensor([[m in e.vectors for m in MODALITIES] for e in examples])


class Adaptation:
    """Labels and adapted fusions by person, in memory only.

    `add` and `undo` only change the labels; `refit` fits, possibly in another thread. Until it is done the previous
    fusion is used.
    """

    def __init__(self, checkpoint: Checkpoint, settings: AdaptationSettings = AdaptationSettings()) -> None:
        self._checkpoint = checkpoint
        self._settings = settings
        self._examples: OrderedDict[str, tuple[Example, ...]] = OrderedDict()  # by person; labelled last is last
        self._networks: dict[str, AdaptedFusion] = {}
        self._undo_stack: deque[tuple[str, tuple[Example, ...]]] = deque(maxlen=settings.undos)
        self._lock = threading.Lock()

    def network(self, person_id: str) -> AdaptedFusion | None:
        """
        :param person_id: here and below a person_id, or the identity of a voice without a body
            (`PeopleRegistry.identity`).
        :return: the person's fusion, else the one for EVERYBODY; None: use the checkpoint's.
        """
        return self._networks.get(person_id) or self._networks.get(EVERYBODY)

    @property
    def people(self) -> tuple[str, ...]:
        """People with labels."""
        return tuple(self._examples)

    def examples(self, person_id: str) -> tuple[Example, ...]:
        """The labelled utterances of a person, the oldest first."""
        return self._examples.get(person_id, ())

    def add(self, person_id: str, example: Example) -> None:
        """Add a label; replaces another one of the same utterance. Call `refit` next.

        :raises ValueError: for an unknown label, or without any vector.
        """
        labels = self._checkpoint.spec.labels
        if example.label not in labels:
            raise ValueError(f'unknown label {example.label[:80]!r}; expected one of {", ".join(labels)}')
        if not example.vectors:
            raise ValueError(f'utterance {example.utterance_id!r} has no vectors to learn from')
        with self._lock:
            before = self._examples.get(person_id, ())
            kept = tuple(e for e in before if e.utterance_id != example.utterance_id)
            self._examples[person_id] = (*kept, example)[-self._settings.examples :]
            self._examples.move_to_end(person_id)
            self._undo_stack.append((person_id, before))
            others = [known for known in self._examples if known != EVERYBODY]
            if len(others) > self._settings.people:  # voices that will never be known again go first
                self._forget(next(filter(is_anonymous, others[:-1]), others[0]))

    def undo(self) -> tuple[str, Example]:
        """Remove the last label. Call `refit` next.

        :return: its person and example.
        :raises ValueError: if there is none to undo.
        """
        with self._lock:
            if not self._undo_stack:
                raise ValueError(f'no label to undo; at most the last {self._settings.undos} can be undone')
            person_id, before = self._undo_stack.pop()
            last = self._examples[person_id][-1]
            self._examples[person_id] = before
            if not before:
                del self._examples[person_id]
            return person_id, last

    def discard_undo(self) -> None:
        """Make the labels so far permanent."""
        with self._lock:
            self._undo_stack.clear()

    def refit(self, person_id: str) -> None:
        """Fit a person's fusion to the labels of EVERYBODY and of the person. For one thread at a time."""
        examples = self._training_examples(person_id)
        network = fit(self._checkpoint, examples, self._settings) if examples else None
        with self._lock:
            if self._training_examples(person_id) != examples:
                return  # something was labelled, undone or forgotten meanwhile; that asks for a fit of its own
            if network is None:
                self._networks.pop(person_id, None)
            else:
                self._networks[person_id] = network

    def forget(self, person_id: str) -> bool:
        """Remove the labels and fusion of a person. For EVERYBODY all fusions are removed: `refit` the others.

        :return: False if that person has no labels.
        """
        with self._lock:
            return self._forget(person_id)

    def forget_everybody(self) -> None:
        with self._lock:
            for person_id in list(self._examples):
                self._forget(person_id)

    def _training_examples(self, person_id: str) -> tuple[Example, ...]:
        own = self.examples(person_id)
        return own if person_id == EVERYBODY or not own else (*self.examples(EVERYBODY), *own)

    def _forget(self, person_id: str) -> bool:
        if person_id == EVERYBODY:
            self._networks.clear()
        self._networks.pop(person_id, None)
        kept = [entry for entry in self._undo_stack if entry[0] != person_id]
        self._undo_stack.clear()
        self._undo_stack.extend(kept)
        return self._examples.pop(person_id, None) is not None
