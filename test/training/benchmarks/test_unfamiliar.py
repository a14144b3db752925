# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The table of movement unlike what was learnt: of contents and people on no other side, and in words."""
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from smern_ros.training.benchmarks import skeleton, unfamiliar


@pytest.fixture(scope='module')
def source(shared_data, cache):
    return skeleton.SkeletonSource(shared_data, cache, trial=True)


@pytest.mark.weights
def test_films_and_contents_left_out_are_scored_by_each_fold_and_by_the_checkpoint(source):
    head, *lines = unfamiliar.grid(source)
    assert head[1:3] == ('bow left out', 'run left out') and {len(line) for line in lines} == {len(head)}
    assert [line[0] for line in lines] == [*unfamiliar.HELD_OUT, unfamiliar.SEATED, unfamiliar.SIGNERS]
    numbers = {line[0]: int(line[3]) for line in lines}
    assert numbers[unfamiliar.SEATED] == unfamiliar.COUNT and numbers[unfamiliar.SIGNERS] >= 2
    seated = next(line for line in lines if line[0] == unfamiliar.SEATED)
    assert float(seated[1].split('AUC ')[1].rstrip(')')) > 0.8


def test_what_is_taught_is_taught_by_the_clips_learnt_from_alone(source):
    shown, clips = source.windows(), source.clips()
    learn, _ = skeleton.leave_out(shown, ['run'])
    without = [clip for clip in clips if clip.content != 'run']
    assert unfamiliar.fit_posture(learn, clips) == unfamiliar.fit_posture(learn, without)


def test_lines_tell_what_was_measured(monkeypatch):
    scores = {'0': [-1.0, 1.0, 2.0, 3.0], 'checkpoint': [1.0, 1.0, -1.0, np.inf]}
    said = [[0.1, 0.7, 0.1, 0.1], [0.3, 0.4, 0.2, 0.1], [0.4, 0.3, 0.2, 0.1], [0.1, 0.1, 0.1, 0.7]]
    names = (*unfamiliar.HELD_OUT, unfamiliar.SIGNERS)
    kept = {f'{name}|{by}': torch.tensor(of) for name in names for by, of in {**scores, 'probabilities': said}.items()}
    kept['left out, seen by a camera|0'] = torch.tensor([0.0, 1.0])
    monkeypatch.setattr(unfamiliar, '_measured', lambda source: kept)
    *_, line = unfamiliar.grid(SimpleNamespace(folds=('bow',)))
    # Of eight pairs five are in order and one is level: 5.5 / 8.
    assert line == (unfamiliar.SIGNERS, '75 % (AUC 0.69)', '4', '75 %', '50 %', '25 %', '0.55')
