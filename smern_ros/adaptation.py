"""What a person's labels teach: an output layer of one's own, close to the one that serves everybody.

The examples are kept and the layer is fitted to them from the beginning each time. The problem is convex, so it has one
answer whatever the order of the labels: nothing is forgotten for something new, and what is undone leaves no trace.
"""
from __future__ import annotations

import copy
import threading
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from smern_ros.checkpoint import Checkpoint
from smern_ros.models.smern_ga import SmernGA
from smern_ros.spec import MODALITIES


@dataclass(frozen=True)
class Settings:
    """The numbers of adaptation."""

    anchor: float = 10.0  # how fast the layer is held to the original; less, and few labels spoil other emotions
    steps: int = 50       # of L-BFGS, at most
    examples: int = 64    # of a person; beyond, the oldest is forgotten
    people: int = 32      # beyond, the one who was not labelled for longest is forgotten
    undos: int = 16       # labels that can be taken back

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise ValueError(f'{name} of adaptation is {value!r}; it must be above 0')


@dataclass(frozen=True, eq=False)
class Example:
    """An utterance of which somebody said what was felt in it."""

    utterance_id: str
    vectors: Mapping[str, torch.Tensor]  # by modality, what the encoders made of it; what is missing is not in it
    label: str


def fit(checkpoint: Checkpoint, examples: Sequence[Example], settings: Settings) -> SmernGA:
    """A copy of the fusion whose output layer θ minimises, from the original θ₀,

        Σ cross-entropy of the examples, after the temperature  +  anchor / 2 · (1 + mean |h|²) · |θ - θ₀|²

    the penalty L2-SP of Li, Grandvalet and Davoine (2018): few labels move little. What the layer reads, h, scales it,
    so that the same anchor serves other checkpoints. The paper (section V-C) fine-tunes a whole SMACN, on 2 to 50 % of
    the data of two new speakers.
    """
    adapted = copy.deepcopy(checkpoint.smern_ga)
    hidden, temperatures = _hidden(checkpoint, examples)                             # (N, 192), (N, 1)
    scale = 1 + (hidden**2).sum(dim=1).mean()
    labels = torch.tensor([checkpoint.spec.labels.index(e.label) for e in examples])
    original = [p.detach() for p in (adapted.output.weight, adapted.output.bias)]
    moved = [torch.zeros_like(p).requires_grad_() for p in original]
    optimiser = torch.optim.LBFGS(moved, max_iter=settings.steps, line_search_fn='strong_wolfe')

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        weight, bias = (p + m for p, m in zip(original, moved, strict=True))
        logits = nn.functional.linear(hidden, weight, bias) / temperatures           # (N, 4)
        penalty = scale * sum((m**2).sum() for m in moved)
        value = nn.functional.cross_entropy(logits, labels, reduction='sum') + settings.anchor / 2 * penalty
        value.backward()
        return value

    optimiser.step(loss)
    with torch.no_grad():
        for parameter, m in zip((adapted.output.weight, adapted.output.bias), moved, strict=True):
            parameter += m
    return adapted.eval()


@torch.no_grad()
def _hidden(checkpoint: Checkpoint, examples: Sequence[Example]) -> tuple[torch.Tensor, torch.Tensor]:
    """What the output layer reads of each example, and the temperature that its modalities have."""
    body = copy.deepcopy(checkpoint.smern_ga)
    sizes = {m: getattr(body.config, m) for m in MODALITIES}
    body.output = nn.Identity()  # type: ignore[assignment]
    present = torch.tensor([[m in e.vectors for m in MODALITIES] for e in examples])
    inputs = [torch.stack([e.vectors.get(m, torch.zeros(sizes[m])) for e in examples]) for m in MODALITIES]
    subsets = ['+'.join(m for m in MODALITIES if m in e.vectors) for e in examples]
    return body(*inputs, present).logits, torch.tensor([[checkpoint.temperatures[s]] for s in subsets])


class Adaptation:
    """The labels of the people of a session and the networks made of them. In memory only.

    Labels are taken and undone at once; `refit` does the work, in another thread if need be. Whoever judges goes on
    with the network there was until the new one is whole.
    """

    def __init__(self, checkpoint: Checkpoint, settings: Settings = Settings()) -> None:
        self._checkpoint = checkpoint
        self._settings = settings
        self._examples: OrderedDict[str, tuple[Example, ...]] = OrderedDict()  # by person; labelled last is last
        self._networks: dict[str, SmernGA] = {}
        self._before: deque[tuple[str, tuple[Example, ...]]] = deque(maxlen=settings.undos)
        self._lock = threading.Lock()

    def network(self, person_id: str) -> SmernGA | None:
        """:return: None for somebody of whom nothing was labelled: the network that serves everybody."""
        return self._networks.get(person_id)

    @property
    def people(self) -> tuple[str, ...]:
        """Of whom something was labelled."""
        return tuple(self._examples)

    def examples(self, person_id: str) -> tuple[Example, ...]:
        """What was labelled of somebody, the oldest first."""
        return self._examples.get(person_id, ())

    def add(self, person_id: str, example: Example) -> None:
        """Takes a label; another of the same utterance replaces it. `refit` that person next.

        :raises ValueError: for an unknown label, or without any vector.
        """
        labels = self._checkpoint.spec.labels
        if example.label not in labels:
            raise ValueError(f'no emotion is called {example.label!r}; there are {", ".join(labels)}')
        if not example.vectors:
            raise ValueError(f'nothing is left of utterance {example.utterance_id!r} to learn from')
        with self._lock:
            before = self._examples.get(person_id, ())
            kept = tuple(e for e in before if e.utterance_id != example.utterance_id)
            self._examples[person_id] = (*kept, example)[-self._settings.examples :]
            self._examples.move_to_end(person_id)
            self._before.append((person_id, before))
            while len(self._examples) > self._settings.people:
                self._forget(next(iter(self._examples)))

    def undo(self) -> tuple[str, Example]:
        """Takes the last label back, as if it had never been given. `refit` that person next.

        :return: whose it was, and the example.
        :raises ValueError: if there is none, or it was too many labels ago.
        """
        with self._lock:
            if not self._before:
                raise ValueError(f'no label is left to take back; the last {self._settings.undos} can be')
            person_id, before = self._before.pop()
            last = self._examples[person_id][-1]
            self._examples[person_id] = before
            if not before:
                del self._examples[person_id]
            return person_id, last

    def refit(self, person_id: str) -> None:
        """Makes the person's network of what is labelled now; for one thread at a time."""
        examples = self.examples(person_id)
        network = fit(self._checkpoint, examples, self._settings) if examples else None
        with self._lock:
            if self.examples(person_id) != examples:
                return  # something was labelled, undone or forgotten meanwhile; that asks for a fit of its own
            if network is None:
                self._networks.pop(person_id, None)
            else:
                self._networks[person_id] = network

    def forget(self, person_id: str) -> bool:
        """:return: False if nothing was labelled of that person."""
        with self._lock:
            return self._forget(person_id)

    def forget_everybody(self) -> None:
        with self._lock:
            for person_id in list(self._examples):
                self._forget(person_id)

    def _forget(self, person_id: str) -> bool:
        self._networks.pop(person_id, None)
        kept = [entry for entry in self._before if entry[0] != person_id]
        self._before.clear()
        self._before.extend(kept)
        return self._examples.pop(person_id, None) is not None
