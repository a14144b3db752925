# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a simulated robot knows of a speaker is never about the utterance at hand, and never about the future."""
import numpy as np
import pytest

from smern_ros.models.person_statistics import PersonStatistics
from smern_ros.training.audio.speaker_context import known_after, known_by_chance, known_in_all


@pytest.fixture
def told():
    """Twenty utterances; number k says 2^k, so that a sum says which are in it."""
    return [PersonStatistics().add('prosody', np.full((1, 35), 2.0**k)) for k in range(20)]


def who(known: PersonStatistics) -> set[int]:
    total = round(float(known.prosody.count[0] * known.prosody.mean[0]))
    return {k for k in range(20) if total >> k & 1}


def test_by_chance_it_is_any_number_of_the_others_and_never_the_utterance_itself(told):
    generator = np.random.default_rng(0)
    drawn = [who(known_by_chance(told, 7, generator)) for _ in range(2000)]
    assert {len(d) for d in drawn} == set(range(20))
    assert set().union(*drawn) == set(range(20)) - {7}
    assert 0.1 < np.mean([len(d) == 0 for d in drawn]) < 0.4


def test_an_only_utterance_stands_alone(told):
    assert who(known_by_chance(told[:1], 0, np.random.default_rng(0))) == set()
    assert who(known_in_all(told[:1], 0)) == set()


def test_after_some_seconds_it_is_the_latest_utterances_before(told):
    lengths = [2.0] * 20
    assert who(known_after(told, lengths, 10, 0.0)) == set()
    assert who(known_after(told, lengths, 10, 5.0)) == {7, 8, 9}
    assert who(known_after(told, lengths, 10, 1e9)) == set(range(10))
    assert who(known_after(told, lengths, 0, 60.0)) == set()


def test_in_all_it_is_every_other_utterance(told):
    assert who(known_in_all(told, 7)) == set(range(20)) - {7}
