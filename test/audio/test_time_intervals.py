"""From when to when the robot speaks, or somebody else."""
from smern_ros.audio.time_intervals import TimeIntervals
from smern_ros.values import SECOND


def test_it_covers_the_robot_s_speech_and_a_tail():
    mute = TimeIntervals(tail=0.2)
    assert not mute.overlaps(0, SECOND)
    mute.set(SECOND, True)
    assert not mute.overlaps(SECOND // 2, SECOND)
    assert mute.overlaps(SECOND - 1, SECOND + 1)
    assert mute.overlaps(50 * SECOND, 51 * SECOND)
    mute.set(60 * SECOND, False)
    assert mute.overlaps(59 * SECOND, 60 * SECOND)
    assert mute.overlaps(60 * SECOND + SECOND // 10, 61 * SECOND)
    assert not mute.overlaps(60 * SECOND + SECOND // 5, 61 * SECOND)


def test_saying_it_again_changes_nothing():
    mute = TimeIntervals(tail=0.0)
    mute.set(1 * SECOND, True)
    mute.set(5 * SECOND, True)
    assert mute.overlaps(1 * SECOND, 2 * SECOND)
    mute.set(6 * SECOND, False)
    mute.set(9 * SECOND, False)
    assert not mute.overlaps(6 * SECOND, 9 * SECOND)


def test_a_spell_is_remembered_until_its_sound_has_come():
    mute = TimeIntervals(tail=0.0)
    mute.set(5 * SECOND, True)
    mute.set(6 * SECOND, False)
    assert not mute.overlaps(4 * SECOND, 5 * SECOND)
    assert mute.overlaps(5 * SECOND, 6 * SECOND)


def test_when_time_jumps_back_only_a_robot_that_speaks_now_is_muted():
    mute = TimeIntervals(tail=0.0)
    mute.set(100 * SECOND, True)
    mute.set(101 * SECOND, False)
    mute.restart()
    assert not mute.overlaps(100 * SECOND, 101 * SECOND)
    mute.set(102 * SECOND, True)
    mute.restart()
    assert mute.overlaps(SECOND, 2 * SECOND)
