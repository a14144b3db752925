"""Nobody misses a frame of speech or a change, and silence is told of often enough."""
from itertools import pairwise

from smern_ros.audio.activity_decimator import QUIET_PERIOD, ActivityDecimator
from smern_ros.audio.stream import FRAME_NS, Activity
from smern_ros.values import SECOND


def told(pattern: str) -> str:
    """:param pattern: a letter a frame: S for speech, m for silence in which the robot speaks, - for silence."""
    quiet = ActivityDecimator()
    frames = [Activity(k * FRAME_NS, 0.5, is_speaking=c == 'S', muted=c == 'm') for k, c in enumerate(pattern)]
    return ''.join(c if quiet.should_publish(frame) else ' ' for c, frame in zip(pattern, frames, strict=True))


def test_all_of_speech_and_each_change_is_told():
    assert told('--SSSS-S----') == '- SSSS-S-  -'
    assert told('---mmm--') == '-  m  - '


def test_of_silence_every_third_frame_is_told():
    heard = [k for k, c in enumerate(told('-' * 100)) if c != ' ']
    assert heard[0] == 0 and {later - one for one, later in pairwise(heard)} == {QUIET_PERIOD}


def test_after_a_jump_in_time_the_first_frame_is_told():
    for jump_ns in (-3600 * SECOND, 3600 * SECOND):
        quiet = ActivityDecimator()
        stamps = [7200 * SECOND, 7200 * SECOND + FRAME_NS, 7200 * SECOND + jump_ns]
        frames = [Activity(stamp_ns, 0.1, is_speaking=False, muted=False) for stamp_ns in stamps]
        assert [quiet.should_publish(frame) for frame in frames] == [True, False, True]
