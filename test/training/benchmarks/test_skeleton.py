# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Movements of contents never seen: clips stay on one side, whatever the folds ask for."""
import dataclasses

import numpy as np
import pytest

from smern_ros.training.benchmarks.skeleton import CHOSEN_ON, FOLDS, OTHERS, experiments, leave_out
from smern_ros.training.corpora import Motion, bandai
from smern_ros.training.skeleton import windows as windows_of
from smern_ros.training.skeleton.windows import CAPTURED, MIRRORED, SEEN, STILL


def motion(content, label='neutral', take=1, frames=70):
    """Somebody who rocks their arms, the faster the higher the take."""
    times = np.arange(frames)[:, None, None] / 30
    pose = np.random.default_rng(0).normal(0, 0.2, (1, 10, 3))
    moved = pose + 0.1 * np.sin(2 * np.pi * take * times) * np.linspace(0, 1, 10)[None, :, None]
    return Motion('here', f'{content}_{label}_{take}', content, label, 30.0, moved.astype(np.float32))


@pytest.fixture(scope='module')
def shown():
    return windows_of.windows([motion('bow'), motion('run', 'sad'), motion('run', 'sad', 2)], (64,), variants=1)


def test_neither_content_nor_clip_is_on_both_sides(shown):
    learn, test = leave_out(shown, ['run'])
    assert {s.content for s in learn} == {'bow'} and {s.content for s in test} == {'run'}
    assert len(learn) + len(test) == len(shown)


@pytest.mark.parametrize(('fold', 'kept'), [(['walk-left'], {'bow', 'bye'}), (['bye'], {'walk-left', 'walk-right'})])
def test_what_looks_like_a_content_left_out_is_not_learnt_from_either(fold, kept):
    shown = windows_of.windows([motion(c) for c in ('bow', 'bye', 'walk-left', 'walk-right')], (64,), variants=1)
    learn, test = leave_out(shown, fold)
    assert {s.content for s in learn} == kept and {s.content for s in test} == set(fold)
    learn, _ = leave_out(shown, fold, alike=str)  # to measure what that is worth
    assert {s.content for s in learn} == {'bow', 'bye', 'walk-left', 'walk-right'} - set(fold)


def test_no_fold_of_the_tables_learns_from_what_looks_alike_but_the_one_that_says_so(shared_data, tmp_path):
    for experiment in experiments(shared_data, tmp_path, trial=False):
        groups = [{bandai.alike(content) for content in fold.split(' and ')} for fold in experiment.folds]
        assert all(len(group) == 1 for group in groups)
        alone = 'looks alike is learnt from' in experiment.name
        assert experiment.config.get('left out alike', True) != alone
        assert (len(groups) == 10) if alone else (len({name for group in groups for name in group}) == len(groups) == 4)


def test_a_clip_under_two_names_of_contents_is_refused(shown):
    renamed = [dataclasses.replace(s, content='bow') if i % 2 else s for i, s in enumerate(shown)]
    with pytest.raises(ValueError, match='train and test share .*run_sad'):
        leave_out(renamed, ['run'])


def test_contents_that_are_not_there_cannot_be_left_out(shown):
    with pytest.raises(ValueError, match=r"\['walk'\] cannot be left out; there are \['bow', 'run'\]"):
        leave_out(shown, ['walk'])


def test_every_content_is_left_out_once_together_with_what_looks_like_it():
    left_out = [content for fold in FOLDS for content in fold.split(' and ')]
    assert sorted(left_out) == sorted(CHOSEN_ON | OTHERS)
    assert len(left_out) == len(set(left_out))


def test_what_comes_of_a_clip_does_not_depend_on_the_others():
    alone = windows_of.windows([motion('bow')], (64,), variants=2)
    among = windows_of.windows([motion('run'), motion('bow')], (64,), variants=2)
    of_bow = [s for s in among if s.content == 'bow']
    assert [s.id for s in alone] == [s.id for s in of_bow]
    assert all(np.array_equal(a.x, b.x) for a, b in zip(alone, of_bow, strict=True))


def test_whoever_stands_still_is_shown_as_neutral_whatever_their_posture():
    of_sad = windows_of.windows([motion('bow', 'sad')], (64,), variants=1)
    assert {(s.manner, s.label) for s in of_sad} == {
        (CAPTURED, 'sad'), (MIRRORED, 'sad'), (SEEN, 'sad'), (STILL, 'neutral')
    }


def test_windows_come_back_from_disk_as_they_were(shown, tmp_path):
    windows_of.save(shown, tmp_path / 'kept.npz')
    for before, after in zip(shown, windows_of.load(tmp_path / 'kept.npz'), strict=True):
        for field in dataclasses.fields(before):
            assert np.array_equal(getattr(before, field.name), getattr(after, field.name)), field.name


def test_every_row_is_measured_on_real_clips_that_were_left_out(shared_data, cache):
    found = list(experiments(shared_data, cache, trial=True))
    assert {e.name for e in found} >= {f'movement, {n}' for n in ('SMACN', 'CNN', 'LSTM', 'LSTM+Att', '3DCNN')}
    for experiment in (e for e in found if e.name in ('movement, references', 'movement, SMACN', 'movement, LSTM')):
        for row, predictions in zip(experiment.rows, experiment.run('bow', 0), strict=True):
            assert all(str(id).startswith('bow_') for id in predictions.ids), row
            assert np.allclose(predictions.probabilities.sum(axis=1), 1, atol=1e-5), row
    assert list(experiments(shared_data, cache, trial=True))[1].config == found[1].config


def test_the_same_fold_and_seed_say_the_same(shared_data, cache):
    smacn = next(e for e in experiments(shared_data, cache, trial=True) if e.name == 'movement, SMACN')
    first, second, other = (smacn.run('bow', seed)[0].probabilities for seed in (0, 0, 1))
    assert np.array_equal(first, second) and not np.array_equal(first, other)
