# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Who is learnt from, who is chosen by and who is measured on: never the same speaker or content twice."""
from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Sample = TypeVar('Sample')
FOLDS = 3
"""Of corpora, speakers and contents that look alike, of which each is left out once."""


@dataclass(frozen=True)
class Split(Generic[Sample]):
    train: Sequence[Sample]
    dev: Sequence[Sample]   # early stopping, temperatures
    test: Sequence[Sample]  # looked at once, for the model card


def by_group(
    samples: Collection[Sample], group: Callable[[Sample], str], dev: Collection[str], test: Collection[str]
) -> Split[Sample]:
    """Parted by the group of each sample: those in `dev`, those in `test`, and all others for training.

    :raises ValueError: if a group is asked for twice, or a part would be empty.
    """
    twice = set(dev) & set(test)
    if twice:
        raise ValueError(f'{sorted(twice)} would be both for choosing and for measuring')
    split = Split(
        train=[s for s in samples if group(s) not in dev and group(s) not in test],
        dev=[s for s in samples if group(s) in dev],
        test=[s for s in samples if group(s) in test],
    )
    for name in ('train', 'dev', 'test'):
        if not getattr(split, name):
            raise ValueError(f'nothing is left for {name}; the groups are {sorted({group(s) for s in samples})}')
    require_disjoint(split, group)
    return split


def folds(groups: Sequence[str]) -> Iterator[tuple[list[int], list[int]]]:
    """Rows to learn from and rows of groups that are not among them; each group is left out once.

    As many folds as there are groups, at most FOLDS. The groups are dealt out in turn, in alphabetical order: no fold
    takes all speakers of a corpus.

    :raises ValueError: for a single group; nobody would be left to learn from.
    """
    names = sorted(set(groups))
    if len(names) < 2:
        raise ValueError(f'there is only {", ".join(names)}: left out, nobody is left to learn from')
    for k in range(min(FOLDS, len(names))):
        out = set(names[k::FOLDS])
        kept, held_out = ([i for i, g in enumerate(groups) if (g in out) == is_out] for is_out in (False, True))
        require_disjoint(Split([groups[i] for i in kept], [], [groups[i] for i in held_out]), str)
        yield kept, held_out


def require_disjoint(split: Split[Sample], group: Callable[[Sample], str]) -> None:
    """:raises ValueError: if any group occurs in two parts, naming it."""
    groups = {name: {group(s) for s in getattr(split, name)} for name in ('train', 'dev', 'test')}
    for one, other in (('train', 'dev'), ('train', 'test'), ('dev', 'test')):
        shared = groups[one] & groups[other]
        if shared:
            raise ValueError(f'{one} and {other} share {sorted(shared)[:5]}: what is measured must be unseen')
