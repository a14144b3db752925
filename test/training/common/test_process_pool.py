"""Calls in several processes: each answer is told with its call, and a process that dies is told as such."""
import os

import pytest

from smern_ros.training.common.process_pool import each
from smern_ros.training.iemocap.features.extraction_workers import WorkerDied


def test_every_answer_comes_with_its_call():
    assert dict(each(pow, [(f'2^{n}', (2, n)) for n in range(5)], 2)) == {f'2^{n}': 2**n for n in range(5)}


def test_a_process_that_dies_is_told():
    with pytest.raises(WorkerDied, match='a process of 2 died'):
        list(each(os._exit, [('dies', (1,)), ('too', (1,))], 2))


def test_nothing_is_started_for_nothing():
    assert list(each(pow, [], 2)) == []
