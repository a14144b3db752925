# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Trouble is told once for each kind, and garbage that makes a new kind with each message does not flood."""
from smern_ros.ros.log_throttle import MAX_KINDS, Throttle


def test_lines_that_differ_only_in_values_are_one_kind():
    throttle = Throttle(period=60.0)
    assert throttle.count('audio', "rate 4 Hz of 'left'") == 0
    assert throttle.count('audio', "rate 5 Hz of 'right'") is None
    assert throttle.count('audio', 'no rate') == 0


def test_what_was_held_back_is_counted(monkeypatch):
    clock = iter([0.0, 1.0, 2.0, 3.0, 11.0])
    monkeypatch.setattr('smern_ros.ros.log_throttle.time.monotonic', lambda: next(clock))
    throttle = Throttle(period=10.0)
    assert [throttle.count('audio', 'bad') for _ in range(5)] == [0, None, None, None, 3]


def test_garbage_on_one_subject_neither_floods_nor_silences_another():
    throttle = Throttle(period=60.0)
    letters = [f'{chr(97 + i % 26)}{chr(97 + i // 26)} is no picture' for i in range(500)]
    assert sum(throttle.count('image', line) is not None for line in letters) == MAX_KINDS
    assert throttle.count('audio', 'bad') == 0
