# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Sound without stamps: as steady as its samples, never stamped before it can have been heard."""
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from smern_ros.audio.formats import GAP, ArrivalClock
from smern_ros.values import SECOND

RATE, SAMPLES = 16_000, 512
DURATION = SAMPLES * SECOND // RATE
START = 1_700_000_000 * SECOND


def stamps(arrivals):
    clock = ArrivalClock()
    return [clock.stamp(SAMPLES, RATE, at) for at in arrivals]


def test_a_chunk_is_stamped_with_its_arrival_less_its_duration():
    assert stamps([START]) == [START - DURATION]


def test_chunks_that_come_late_or_in_bursts_still_follow_one_another():
    jitter = np.random.default_rng(0).uniform(0, 0.2, 500)
    arrivals = np.maximum.accumulate([START + (i + 1) * DURATION + round(j * SECOND) for i, j in enumerate(jitter)])
    found = stamps([START + DURATION, *(int(a) + DURATION for a in arrivals)])
    assert np.abs(np.diff(found) - DURATION).max() < 0.02 * SECOND
    assert abs(found[-1] - (START + 500 * DURATION)) < 0.02 * SECOND


def test_lost_sound_is_a_gap():
    before, after = stamps([START, START + DURATION + GAP + SECOND])
    assert after - before == DURATION + GAP + SECOND


def test_a_clock_set_back_is_followed():
    assert stamps([START, START - 100 * SECOND])[1] == START - 100 * SECOND - DURATION


def test_a_sound_card_that_runs_slow_is_followed_without_a_gap():
    slow = round(DURATION * 1.0005)
    found = stamps([START + i * slow for i in range(20_000)])
    assert np.diff(found).max() < DURATION + 0.001 * SECOND
    assert START + 19_999 * slow - DURATION - found[-1] < 0.01 * SECOND


@given(st.lists(st.integers(0, 2 * SECOND), min_size=1, max_size=50))
def test_no_sound_is_stamped_as_if_it_had_come_before_it_was_heard(waits):
    arrivals = START + np.cumsum(waits)
    for stamp, arrival in zip(stamps([int(a) for a in arrivals]), arrivals, strict=True):
        assert stamp + DURATION <= arrival
