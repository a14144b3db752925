# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a robot would know of a speaker at the time of an utterance, so that the encoders learn and are judged with it.

All of it is about the other utterances of the same speaker: the one at hand always counts besides
(`smern_ros.models.inputs.InputEncoder`).
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smern_ros.models.person_statistics import PersonStatistics


def known_by_chance(
    statistics: Sequence[PersonStatistics], index: int, generator: np.random.Generator
) -> PersonStatistics:
    """Of a random choice of the others, from none to all: the encoder must do with little and with much.

    Each doubling of how many are known is as likely as the next: it is the first few that change the normalisation.

    :param statistics: what each utterance of one speaker tells (`InputEncoder.person_statistics`).
    :param index: of the utterance at hand.
    """
    others = [k for k in range(len(statistics)) if k != index]
    count = int((len(others) + 2) ** generator.uniform()) - 1
    return PersonStatistics.joined(statistics[others[k]] for k in generator.permutation(len(others))[:count])


def known_after(
    statistics: Sequence[PersonStatistics], lengths: Sequence[float], index: int, seconds: float
) -> PersonStatistics:
    """Of the utterances before the one at hand, the latest first, until `seconds` of speech are reached.

    Put the utterances in a random order first where a corpus sorts them by emotion: nobody speaks like that, and their
    statistics would give the emotion away.

    :param lengths: seconds of each.
    """
    known, heard = [], 0.0
    for k in range(index - 1, -1, -1):
        if heard >= seconds:
            break
        known.append(statistics[k])
        heard += lengths[k]
    return PersonStatistics.joined(known)


def known_in_all(statistics: Sequence[PersonStatistics], index: int) -> PersonStatistics:
    """Of all the others: what the literature calls normalising by speaker. A robot knows as much after a long while."""
    return PersonStatistics.joined(part for k, part in enumerate(statistics) if k != index)
