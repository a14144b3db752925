"""What is known of each person without any label: the mean and the spread of what was heard and seen of them.

Voices and bodies differ more between people than between their emotions. Normalising by the person's own mean and
deviation takes that out; while little is known of them, the training data's stand in for what is not.
"""
from __future__ import annotations

import itertools
import math
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

import numpy as np

from smern_ros.spec import SPEC
from smern_ros.values import CLOCK_JUMP, SECOND

SIZES = {'mfcc': SPEC.mfcc, 'prosody': len(SPEC.prosody), 'speech': SPEC.speech, 'skeleton': 3 * len(SPEC.joints)}
"""Numbers in each of the inputs that can be normalised by person."""
SMALLEST_SHARE = 0.1
"""Of the training data's deviation; what hardly varies in somebody yet is not magnified further."""
ABSENT = ''
"""The person_id of a voice whose body nobody sees."""
EVERYBODY = '*'
"""The person_id of labels that count for all people."""
ABSENT_SILENCE = 60 * SECOND
"""ns between two utterances of a voice without a body after which it may be anybody's."""
_STRANGER = '\0'
"""Begins what a voice without a body is told apart by from all others: no message can carry it."""
_every_people = itertools.count()


def is_stranger(identity: str) -> bool:
    """Whether this is a voice without a body (`People.identity`): nobody can tell later whose it was."""
    return identity == ABSENT or identity.startswith(_STRANGER)


@dataclass(frozen=True)
class PriorWeights:
    """As how many frames ('mfcc', 'skeleton') or utterances ('prosody', 'speech') of a person the training data counts.

    None: that input is not normalised by person.
    """

    mfcc: float | None = None
    prosody: float | None = None
    speech: float | None = None
    skeleton: float | None = None

    def __post_init__(self) -> None:
        for name in SIZES:
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int | float) and math.isfinite(value) and value > 0):
                raise ValueError(f'the weight of {name} against a person is {value!r}; it is a number above 0, or None')

    @property
    def names(self) -> tuple[str, ...]:
        """The inputs that are normalised by person."""
        return tuple(name for name in SIZES if getattr(self, name) is not None)


NOBODY = PriorWeights()
"""Everybody is normalised alike, by the training data."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Of D numbers, each observed so many times: mean and sum of squared deviations from it. All (D,) float64."""

    count: np.ndarray
    mean: np.ndarray
    deviations: np.ndarray

    @classmethod
    def none(cls, size: int) -> Moments:
        return cls(np.zeros(size), np.zeros(size), np.zeros(size))

    @classmethod
    def of(cls, values: np.ndarray, seen: np.ndarray | None = None) -> Moments:
        """
        :param values: (T, D).
        :param seen: (T, D) bool, what of them counts; None: all.
        """
        values = np.asarray(values, np.float64)
        shown = np.ones(values.shape, bool) if seen is None else np.asarray(seen, bool)
        count = shown.sum(axis=0, dtype=np.float64)
        mean = np.where(shown, values, 0.0).sum(axis=0) / np.maximum(count, 1)
        return cls(count, mean, (np.where(shown, values - mean, 0.0) ** 2).sum(axis=0))

    @classmethod
    def joined(cls, parts: Iterable[Moments]) -> Moments:
        """Of all observations behind the parts: the pairwise formula of Chan, Golub and LeVeque (1983), for many."""
        counts, means, deviations = (np.stack(column) for column in zip(*(
            (part.count, part.mean, part.deviations) for part in parts), strict=True))
        count = counts.sum(axis=0)
        mean = (counts * means).sum(axis=0) / np.maximum(count, 1)
        return cls(count, mean, (deviations + counts * (means - mean) ** 2).sum(axis=0))

    def shrunk_to(self, mean: np.ndarray, std: np.ndarray, weight: float) -> tuple[np.ndarray, np.ndarray]:
        """The person's mean and deviation where `weight` observations N(mean, std²) came before theirs.

        With n observations of mean x̄ and squared deviations S, and k for the weight:

            mean_p = (k mean + n x̄) / (k + n)
            var_p  = (k std² + S + k n / (k + n) (x̄ - mean)²) / (k + n)

        the update of a normal distribution's conjugate prior with as much weight on the variance as on the mean
        (Gelman et al., Bayesian Data Analysis, 3rd ed., section 3.3). What is known of nobody is the prior, bit by bit.
        """
        share = self.count / (self.count + weight)
        shift = self.mean - mean
        own = self.deviations / np.maximum(self.count, 1) + (1 - share) * shift**2
        variance = std**2 + share * (own - std**2)
        return mean + share * shift, np.sqrt(np.maximum(variance, (SMALLEST_SHARE * std) ** 2))


_NOTHING = {name: Moments.none(size) for name, size in SIZES.items()}


@dataclass(frozen=True, eq=False)
class PersonStatistics:
    """What was heard and seen of one person. Never changed: adding gives another."""

    mfcc: Moments = _NOTHING['mfcc']          # of frames
    prosody: Moments = _NOTHING['prosody']    # of utterances
    speech: Moments = _NOTHING['speech']      # of utterances
    skeleton: Moments = _NOTHING['skeleton']  # of frames in which the joint was visible

    def add(self, name: str, values: np.ndarray, seen: np.ndarray | None = None) -> PersonStatistics:
        """
        :param name: 'mfcc', 'prosody', 'speech' or 'skeleton'.
        :param values: (T, D) as they come from the feature extractor.
        :param seen: (T, D) bool, which of them count; None: all.
        :raises ValueError: for another name or shape, or for numbers that are not finite.
        """
        if name not in SIZES:
            raise ValueError(f'no input is called {name!r}; there are {", ".join(SIZES)}')
        values = np.asarray(values)
        if values.ndim != 2 or values.shape[1] != SIZES[name] or (seen is not None and seen.shape != values.shape):
            marks = '' if seen is None else f', marked by {seen.shape}'
            raise ValueError(f'{name} has the shape {values.shape}{marks}; wanted any x {SIZES[name]}')
        if not np.isfinite(values if seen is None else values[seen]).all():
            raise ValueError(f'{name} holds numbers that are not finite; the extractor that made them is at fault')
        return replace(self, **{name: Moments.joined([getattr(self, name), Moments.of(values, seen)])})

    @classmethod
    def joined(cls, parts: Iterable[PersonStatistics]) -> PersonStatistics:
        """All that several hold of the same person, for instance one of each utterance."""
        parts = [*parts]
        if not parts:
            return cls()
        return cls(*(Moments.joined(getattr(part, f.name) for part in parts) for f in fields(cls)))


UNKNOWN = PersonStatistics()
"""Of somebody never met."""


class PeopleRegistry:
    """What is known of the people met lately. In memory only; may be used by several threads at once.

    Beyond `capacity` the one who was not met for longest is forgotten. A voice without a body (`ABSENT`) counts as one
    person until `ABSENT_SILENCE` passes between two of its utterances, or the clock jumps back.
    """

    def __init__(self, capacity: int = 32) -> None:
        if capacity < 1:
            raise ValueError(f'capacity is {capacity}; at least one person is remembered')
        self._capacity = capacity
        self._known: OrderedDict[str, PersonStatistics] = OrderedDict()  # the one met last is last
        self._absent_end_ns: int | None = None  # None: the next voice without a body is another than any before
        self._strangers = 0  # voices without a body so far
        self._stranger = f'{_STRANGER}{next(_every_people)} '  # before their number: others know other voices
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._known)

    def known(self, person_id: str, start_ns: int) -> PersonStatistics:
        """What is known of whoever speaks or moves from `start_ns` on."""
        with self._lock:
            return self._current(person_id, start_ns)

    def identity(self, person_id: str, start_ns: int) -> str:
        """As whom labels of an utterance that begins at `start_ns` count: the person_id, but of a voice without a body
        one of its own for as long as it counts as one person.
        """
        if person_id != ABSENT:
            return person_id
        with self._lock:
            return f'{self._stranger}{self._strangers + self._is_another(start_ns)}'

    def is_over(self, identity: str) -> bool:
        """Whether this is a voice without a body that nobody is taken for any more."""
        with self._lock:
            going_on = None if self._absent_end_ns is None else f'{self._stranger}{self._strangers}'
            return is_stranger(identity) and identity != going_on

    def learn(self, person_id: str, statistics: PersonStatistics | None, start_ns: int, end_ns: int) -> None:
        """Adds what an utterance told of a person: once for each utterance, when it is certain.

        :param statistics: None: nothing is kept, but a voice without a body goes on.
        """
        with self._lock:
            if person_id == ABSENT:
                if self._is_another(start_ns):
                    self._strangers += 1
                    self._known.pop(ABSENT, None)
                self._absent_end_ns = end_ns
            if statistics is None:
                return
            known = self._known.get(person_id, UNKNOWN)
            self._known[person_id] = PersonStatistics.joined([known, statistics])
            self._known.move_to_end(person_id)
            while len(self._known) > self._capacity:
                self._known.popitem(last=False)

    def clock_jumped(self) -> None:
        """Nobody knows how long it was silent: the next voice without a body may be anybody's."""
        with self._lock:
            self._absent_end_ns = None

    def forget(self, person_id: str) -> bool:
        """:return: False if that person was not known."""
        with self._lock:
            return self._known.pop(person_id, None) is not None

    def forget_everybody(self) -> int:
        """:return: how many were known."""
        with self._lock:
            count = len(self._known)
            self._known.clear()
            return count

    def _current(self, person_id: str, start_ns: int) -> PersonStatistics:
        if person_id == ABSENT and self._is_another(start_ns):
            return UNKNOWN
        return self._known.get(person_id, UNKNOWN)

    def _is_another(self, start_ns: int) -> bool:
        """Than the voice without a body that was heard last; after a step back it is as after `clock_jumped`."""
        return self._absent_end_ns is None or not -CLOCK_JUMP <= start_ns - self._absent_end_ns <= ABSENT_SILENCE
