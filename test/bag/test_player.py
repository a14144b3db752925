# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Pictures and sound of a bag, in their order, each held up by its own answers."""
import threading

import pytest

from smern_ros.bag.errors import BagError
from smern_ros.bag.player import Player, TimedMessage
from smern_ros.media.back_pressure import BackPressure
from smern_ros.values import SECOND

WAIT = 60.0
YEAR = 365 * 24 * 3600 * SECOND


def picture(k, time_ns=0):
    return TimedMessage('image_raw', k, time_ns, SECOND + k * SECOND // 30)


def sound(k, time_ns=0):
    start_ns = SECOND + k * SECOND // 30
    return TimedMessage('audio', k, time_ns, start_ns, start_ns + SECOND // 30)


class Playing:
    """A player with all that it says."""

    def __init__(self, pictures, sound, rate=0.0, **answers):
        self.sent, self.errors, self.ended = [], [], threading.Event()
        answers = {'frames': False, 'audio': False, 'states': False, **answers}
        self.pressure = BackPressure(on_stall=self.errors.append, **answers)
        self.player = Player(pictures, sound, send=self._send, on_error=self.errors.append, on_end=self.ended.set,
                             rate=rate, pressure=self.pressure)
        self.player.start()

    def _send(self, piece):
        self.sent.append((piece.topic, piece.message))

    def of(self, topic):
        return [number for name, number in self.sent if name == topic]


def test_everything_is_sent_once_in_its_order_and_no_recorded_pause_is_waited_for():
    playing = Playing([picture(k, k * YEAR) for k in range(20)], [sound(k, k * YEAR) for k in range(30)])
    assert playing.ended.wait(WAIT)
    assert playing.of('image_raw') == list(range(20))
    assert playing.of('audio') == list(range(30))
    assert playing.errors == []


@pytest.mark.parametrize('tracks', [
    ([picture(0), picture(1, YEAR)], [sound(0), sound(1, YEAR)]),
    ([picture(0, 50 * YEAR), picture(1, 50 * YEAR + 1)], [sound(0), sound(1, 50 * YEAR)]),
    ([], [sound(0), sound(1, YEAR), sound(2, 2 * YEAR)]),
], ids=['both', 'a first message at time zero', 'sound'])
def test_a_clock_that_was_set_while_recording_is_not_waited_for(tracks):
    playing = Playing(*tracks, rate=1.0)
    assert playing.ended.wait(WAIT)
    assert len(playing.sent) == sum(map(len, tracks))


def test_one_track_waits_for_its_time_as_long_as_the_other_has_something():
    playing = Playing([picture(k, k * SECOND // 2) for k in range(4)], [sound(0), sound(1, YEAR)], rate=1.0)
    assert playing.ended.wait(WAIT)
    assert [number for name, number in playing.sent if name == 'image_raw' or number == 1] == [0, 1, 2, 3, 1]


def test_sound_waits_for_the_pictures_that_were_taken_while_it_was_heard():
    playing = Playing([picture(k) for k in range(60)], [sound(k) for k in range(30)], frames=True)
    while len(playing.of('image_raw')) < 4:  # so many may be under way
        playing.ended.wait(0.01)
    assert playing.of('audio') == []
    while not playing.ended.wait(0.01):
        playing.pressure.ack_frames(picture(playing.of('image_raw')[-1]).start_ns)
    assert playing.of('image_raw') == list(range(60))
    assert playing.of('audio') == list(range(30))


def test_a_bag_that_breaks_off_ends_one_track_and_not_the_other():
    def broken():
        yield picture(0)
        raise BagError('the bag is damaged')

    playing = Playing(broken(), [sound(k) for k in range(5)])
    assert playing.ended.wait(WAIT)
    assert playing.of('image_raw') == [0]
    assert playing.of('audio') == list(range(5))
    assert [str(error) for error in playing.errors] == ['the bag is damaged']


def test_stopping_ends_it_in_the_midst_of_waiting():
    playing = Playing([], [sound(k) for k in range(100)], audio=True)
    playing.player.stop()
    assert not playing.ended.is_set()
    assert len(playing.of('audio')) < 100


def test_an_empty_bag_is_over_at_once():
    playing = Playing([], [])
    assert playing.ended.wait(WAIT)
    assert playing.sent == []
