# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A device that is lost is told and comes back; one that is stopped is freed."""
import threading

import pytest
from support import film

from smern_ros.media.capture import Webcam
from smern_ros.media.device import KeptDevice
from smern_ros.media.reader import MediaError

PATIENCE = 20.0


class Log:
    """What a device gave and what went wrong, and when enough of it is there."""

    def __init__(self):
        self.pieces, self.errors = [], []
        self._changed = threading.Condition()

    def take(self, piece):
        self._add(self.pieces, piece)

    def fail(self, error):
        self._add(self.errors, error)

    def _add(self, where, what):
        with self._changed:
            where.append(what)
            self._changed.notify_all()

    def until(self, condition):
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE), (len(self.pieces), self.errors)


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def keep(log):
    kept = []

    def start(open_device, **options):
        options = {'take': log.take, 'on_error': log.fail, 'name': 'test', 'first_retry': 0.01, **options}
        kept.append(KeptDevice(open_device, **options))
        kept[-1].start()
        return kept[-1]

    yield start
    for device in kept:
        device.stop()


class Broken:
    """A device that cannot be read at all."""

    def __iter__(self):
        raise OSError('broken')

    def close(self):
        pass


@pytest.mark.faults
def test_a_camera_that_breaks_is_told_and_gives_frames_again(tmp_path, shared_data, log, keep):
    """OpenCV reads a film like a camera; at its end it is as one that was pulled out."""
    path = str(film.write(tmp_path / 'film.mkv', film.pictures(shared_data, 10)))
    keep(lambda: Webcam(path))
    log.until(lambda: len(log.pieces) >= 25)
    assert len(log.errors) >= 2
    assert all(isinstance(error, MediaError) and 'delivers no more frames' in str(error) for error in log.errors)


@pytest.mark.faults
def test_whatever_breaks_it_is_told_and_tried_again(log, keep):
    devices = iter([Broken(), OSError('in use'), RuntimeError('no idea'), Broken()])

    def open_device():
        device = next(devices)
        if isinstance(device, Exception):
            raise device
        return device

    keep(open_device)
    log.until(lambda: len(log.errors) >= 4)
    assert [str(error) for error in log.errors[:4]] == ['broken', 'in use', 'no idea', 'broken']


@pytest.mark.faults
def test_each_attempt_in_vain_waits_twice_as_long(log, keep, monkeypatch):
    device, waits = None, []

    class Clock(threading.Event):
        def wait(self, timeout=None):
            waits.append(timeout)
            return len(waits) == 6

    monkeypatch.setattr(threading, 'Event', Clock)
    device = KeptDevice(Broken, take=log.take, on_error=log.fail, name='test')
    monkeypatch.undo()
    device._run()
    assert waits == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_a_device_that_is_not_there_at_first_is_refused(log):
    with pytest.raises(MediaError, match="camera '99' cannot be opened"):
        KeptDevice(lambda: Webcam('99'), take=log.take, on_error=log.fail, name='test')


@pytest.mark.parametrize('started', [True, False])
def test_a_device_that_is_stopped_is_freed_and_is_no_error(log, started):
    freed = threading.Event()

    class Endless:
        closed = False

        def __iter__(self):
            try:
                while not self.closed:
                    yield 1
            finally:
                freed.set()

        def close(self):
            self.closed = True

    device = KeptDevice(Endless, take=log.take, on_error=log.fail, name='test')
    if started:
        device.start()
        log.until(lambda: log.pieces)
    device.stop()
    assert freed.is_set() and not log.errors


def test_a_device_that_does_not_answer_is_said_to_be_taken_and_is_freed_when_it_does(log):
    answers, freed = threading.Event(), threading.Event()

    class Silent:
        def __iter__(self):
            answers.wait(PATIENCE)
            freed.set()
            return iter(())

        def close(self):
            pass

    device = KeptDevice(Silent, take=log.take, on_error=log.fail, name='test')
    device.start()
    assert not device.stop(timeout=0.05)
    answers.set()
    assert device.stop() and freed.is_set()
