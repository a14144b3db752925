# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Who is alone looks up now and then; who has company never looks away."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smern_ros.skeleton.idle_frames import HOLD_TIME, IDLE_RATE, IdleFrameSkipper
from smern_ros.values import SECOND


def watched(watch, stamps, present=lambda stamp_ns: False) -> list[int]:
    """The stamps of the frames that were looked at. :param present: whether somebody is there then."""
    looked = []
    for stamp_ns in stamps:
        if watch.should_process(stamp_ns):
            looked.append(stamp_ns)
            watch.record_processed(stamp_ns, anybody=present(stamp_ns))
    return looked


def camera(rate, seconds, start_ns=SECOND):
    return [start_ns + round(k * SECOND / rate) for k in range(round(rate * seconds))]


@given(rate=st.floats(4.0, 60.0), comes=st.floats(0.0, 8.0))
def test_somebody_who_comes_in_is_looked_at_within_half_a_second_whatever_the_camera(rate, comes):
    entered = SECOND + round(comes * SECOND)
    stamps = camera(rate, 10.0)
    looked = watched(IdleFrameSkipper(), stamps, lambda stamp_ns: stamp_ns >= entered)
    shown = next(stamp_ns for stamp_ns in stamps if stamp_ns >= entered)
    first = next(stamp_ns for stamp_ns in looked if stamp_ns >= entered)
    assert first - shown < SECOND // 2
    assert [s for s in looked if s >= first] == [s for s in stamps if s >= first], 'then each frame'


def test_nobody_costs_a_few_looks_a_second():
    for rate in (15, 24, 30, 60):
        assert len(watched(IdleFrameSkipper(), camera(rate, 60.0))) <= 60 * IDLE_RATE + 1


def test_who_is_hidden_for_a_moment_is_looked_for_in_each_frame():
    stamps = camera(30, 10.0)
    left = SECOND + 3 * SECOND
    looked = watched(IdleFrameSkipper(), stamps, lambda stamp_ns: stamp_ns < left)
    awake = [s for s in stamps if s < left + HOLD_TIME]
    assert looked[:len(awake)] == awake
    assert len(looked) - len(awake) <= 5 * IDLE_RATE + 1


@pytest.mark.parametrize('jump', [-3600 * SECOND, 3600 * SECOND])
def test_a_clock_that_jumps_delays_no_look(jump):
    watch = IdleFrameSkipper()
    watched(watch, camera(30, 3.0), lambda stamp_ns: jump < 0)
    after = camera(30, 3.0, start_ns=7200 * SECOND + jump)
    looked = watched(watch, after)
    assert looked[0] == after[0] and len(looked) <= 3 * IDLE_RATE + 1


def test_without_an_idle_rate_every_frame_is_looked_at():
    assert len(watched(IdleFrameSkipper(0.0), camera(30, 3.0))) == 90


def test_a_rate_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match='idle_rate is -1'):
        IdleFrameSkipper(-1.0)
