# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which utterances are learnt from, chosen by and measured on, in each of the paper's experiments.

Every part has the labels in the proportions of the data that it is a part of ("stratified as the data is"): utterances
are dealt out label by label, so that no count is off by more than rounding makes it.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from smern_ros.spec import LABELS
from smern_ros.training.common.splits import Split, require_disjoint

FOLDS = 5
DEV_TO_TEST = 4
"""One in four of what is held out is for development: 0.5 to 1.5."""

FRACTIONS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
"""Of two new speakers' utterances that are learnt from in figure 5. The paper names only both ends."""


class LabelledUtterance(Protocol):
    """What a protocol must know of an utterance."""

    id: str
    speaker: str
    session: int
    label: str


@dataclass(frozen=True)
class Fold(Split[str]):
    """Ids of utterances, in the order of the data. `name` tells folds of one protocol apart."""

    name: str

    def only(self, ids: Collection[str]) -> Fold:
        """The same less the utterances that are not in `ids`, such as those without motion capture.

        :raises ValueError: if nothing is left of a part.
        """
        kept = Fold(*(tuple(i for i in part if i in ids) for part in (self.train, self.dev, self.test)), self.name)
        _require_all_parts(kept)
        return kept


def random_folds(utterances: Sequence[LabelledUtterance], seed: int) -> tuple[Fold, ...]:
    """Five folds of 8 : 0.5 : 1.5, without regard to speakers (paper, section IV-C).

    The paper's five-fold cross-validation tests 15 % at a time and is silent on how. Here each fold holds out another
    fifth of the data, of which a quarter is for development: no utterance is tested twice, none is developed on twice,
    and over all folds 75 % are tested and 25 % developed on.
    """
    held_out = _stratified(utterances, FOLDS, np.random.default_rng(seed))
    return tuple(
        _held_out_fold(utterances, ids, f'fold {number + 1}', seed=(seed, number))
        for number, ids in enumerate(held_out)
    )


def across_speakers(utterances: Sequence[LabelledUtterance], seed: int) -> tuple[Fold, ...]:
    """No speaker sharing, 8 : 0.5 : 1.5 (paper, section V-B): a fold a session, whose two speakers are held out.

    As the paper has it, no speaker is shared between training and test. Its ratio leaves two speakers to be parted
    into development and test, so these two share them; see `leave_one_session_out` for what shares none.
    """
    return tuple(
        _held_out_fold(utterances, [u.id for u in inside], name, seed=(seed, number), speakers_apart=True)
        for number, (name, inside, _) in enumerate(_sessions(utterances))
    )


def leave_one_session_out(utterances: Sequence[LabelledUtterance], seed: int) -> tuple[Fold, ...]:
    """A fold a session, which is all test. A sixteenth of the others, of known speakers, is for development.

    Nothing is known of the speakers of the test before it. The parts are 7.5 : 0.5 : 2.
    """
    folds = []
    for number, (name, inside, others) in enumerate(_sessions(utterances)):
        dev = set(_stratified(others, 16, np.random.default_rng((seed, number)))[0])
        fold = Fold(
            train=tuple(u.id for u in others if u.id not in dev),
            dev=tuple(u.id for u in others if u.id in dev),
            test=tuple(u.id for u in inside),
            name=name,
        )
        check(fold, utterances)
        for part in (fold.train, fold.dev):
            _require_other_speakers(part, fold, utterances)
        folds.append(fold)
    return tuple(folds)


def new_speakers(utterances: Sequence[LabelledUtterance], seed: int, fraction: float) -> tuple[Fold, ...]:
    """Figure 5: a fold a session, of which `fraction` is learnt from and the rest parted 0.5 : 1.5.

    The eight speakers of the other sessions are for training beforehand, as in `leave_one_session_out`. Of the same
    seed, what a smaller fraction learns from is a part of what a larger one does. Of a small corpus a label may lack.

    :param fraction: of the two speakers' utterances, above 0, at most 0.5.
    """
    if not 0 < fraction <= 0.5:
        raise ValueError(f'the fraction to learn from is {fraction}; wanted above 0, at most 0.5')
    folds = []
    for number, (name, inside, _) in enumerate(_sessions(utterances)):
        order = _in_proportion(inside, np.random.default_rng((seed, number)))
        count = max(round(fraction * len(order)), 1)
        learnt = set(order[:count])
        rest = [u.id for u in inside if u.id not in learnt]
        folds.append(_held_out_fold(inside, rest, f'{name}, {fraction:.0%}', seed=(seed, number), few=True))
    return tuple(folds)


PROTOCOLS: dict[str, Callable[[Sequence[LabelledUtterance], int], tuple[Fold, ...]]] = {
    'random': random_folds,
    'across_speakers': across_speakers,
    'leave_one_session_out': leave_one_session_out,
}
"""By name; each takes the utterances and a seed. `new_speakers` takes a fraction as well."""


def check(fold: Fold, utterances: Sequence[LabelledUtterance], *, few: bool = False) -> None:
    """What must hold of any fold.

    :param few: it learns of so few utterances that a label may lack.
    :raises ValueError: if an utterance is in two parts, a part is empty, or no utterance of a label is learnt from.
    """
    _require_all_parts(fold)
    for part in ('train', 'dev', 'test'):
        ids = getattr(fold, part)
        if len(set(ids)) < len(ids):
            raise ValueError(f'{fold.name}: an utterance is twice in {part}: {Counter(ids).most_common(1)[0][0]}')
    require_disjoint(fold, lambda utterance: utterance)
    if not few:
        label_of = {u.id: u.label for u in utterances}
        require_labels([label_of[i] for i in fold.train], f'{fold.name}, training')


def require_labels(labels: Collection[str], what: str) -> None:
    """:raises ValueError: if any of the emotions occurs in none of `labels`, naming it."""
    missing = sorted(set(LABELS) - set(labels))
    if missing:
        raise ValueError(f'{what}: no utterance is {" or ".join(missing)}; each of {", ".join(LABELS)} must occur')


def _require_all_parts(fold: Fold) -> None:
    for part in ('train', 'dev', 'test'):
        if not getattr(fold, part):
            raise ValueError(f'{fold.name}: no utterance is left for {part}; this needs a larger corpus')


def _require_other_speakers(part: Collection[str], fold: Fold, utterances: Sequence[LabelledUtterance]) -> None:
    speaker_of = {u.id: u.speaker for u in utterances}
    shared = {speaker_of[i] for i in part} & {speaker_of[i] for i in fold.test}
    if shared:
        raise ValueError(f'{fold.name}: {", ".join(sorted(shared))} would be learnt from and measured on')


def _held_out_fold(
    utterances: Sequence[LabelledUtterance], held_out: Collection[str], name: str, *, seed: tuple[int, int],
    speakers_apart: bool = False, few: bool = False,
) -> Fold:
    """All but `held_out` for training; of that a quarter for development, the rest for the test."""
    held_out = set(held_out)
    inside = [u for u in utterances if u.id in held_out]
    dev = set(_stratified(inside, DEV_TO_TEST, np.random.default_rng(seed))[0]) if inside else set()
    fold = Fold(
        train=tuple(u.id for u in utterances if u.id not in held_out),
        dev=tuple(u.id for u in inside if u.id in dev),
        test=tuple(u.id for u in inside if u.id not in dev),
        name=name,
    )
    check(fold, utterances, few=few)
    if speakers_apart:
        _require_other_speakers(fold.train, fold, utterances)
    return fold


def _stratified(utterances: Sequence[LabelledUtterance], parts: int, generator: np.random.Generator) -> list[list[str]]:
    """Ids in parts of the same size and labels, off by one: in turn, sorted by label and shuffled within."""
    order = generator.permutation(len(utterances))
    ids = [utterances[i].id for i in sorted(order, key=lambda i: utterances[i].label)]
    first = int(generator.integers(parts))  # else the first part would always be the largest
    return [ids[(first + part) % parts :: parts] for part in range(parts)]


def _in_proportion(utterances: Sequence[LabelledUtterance], generator: np.random.Generator) -> list[str]:
    """Ids in an order any beginning of which has the labels in the proportions of the whole."""
    order = [utterances[i] for i in generator.permutation(len(utterances))]
    counts, seen, places = Counter(u.label for u in order), Counter[str](), {}
    for utterance in order:
        places[utterance.id] = (seen[utterance.label] + 0.5) / counts[utterance.label]
        seen[utterance.label] += 1
    return sorted(places, key=places.__getitem__)


def _sessions(
    utterances: Sequence[LabelledUtterance],
) -> list[tuple[str, list[LabelledUtterance], list[LabelledUtterance]]]:
    """A name, the utterances inside and those of the other sessions, of each session."""
    sessions = sorted({u.session for u in utterances})
    if len(sessions) < 2:
        raise ValueError(f'the utterances are of {len(sessions)} sessions; to hold one out, there must be two or more')
    return [
        (f'session {s}', [u for u in utterances if u.session == s], [u for u in utterances if u.session != s])
        for s in sessions
    ]
