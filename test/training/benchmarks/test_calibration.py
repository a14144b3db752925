# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""How sure the voices of a corpus left out may be is found without that corpus; here on a little of the data."""
import numpy as np
import pytest

from smern_ros.training.benchmarks import calibration
from smern_ros.training.benchmarks.speech import WAYS
from smern_ros.training.fusion.calibrate import JOINED


@pytest.fixture(scope='module')
def left_out(shared_data, cache, trial):
    """The experiment of EMO-DB left out, and what it predicts by row."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibration, 'TRIAL', trial)
        experiment, *_ = calibration.experiments(shared_data, cache, trial=True)
        assert experiment.folds == ('emodb',)
        found = experiment.run('emodb', 0)
        yield experiment, {(row.table.title, row.detail): p for row, p in zip(experiment.rows, found, strict=True)}


def test_only_the_corpus_left_out_is_tested_and_its_temperature_changes_no_choice(left_out):
    _, found = left_out
    for way in WAYS:
        before, after = (found[calibration.VOICE.title, f'{way}, one network, {what}'] for what in (
            calibration.BEFORE, 'its temperature'))
        assert {name.partition('/')[0] for name in before.ids} == {'emodb'} and np.array_equal(before.ids, after.ids)
        assert np.array_equal(before.probabilities.argmax(axis=1), after.probabilities.argmax(axis=1))
        assert (after.probabilities.max(axis=1) <= before.probabilities.max(axis=1) + 1e-6).all()


def test_words_are_joined_with_the_voices_of_that_corpus_by_label(left_out):
    _, found = left_out
    for way in WAYS:
        for agreement in calibration.AGREEMENTS:
            together = found[calibration.TOGETHER.title, f'{way}, {agreement}']
            assert np.bincount(together.labels).tolist() == [JOINED // 4] * 4
            assert np.allclose(together.probabilities.sum(axis=1), 1, atol=1e-5)


def test_what_is_found_does_not_depend_on_the_corpus_left_out(left_out, monkeypatch):
    """Its labels are turned round: the temperature, and so what is said of its voices, stays."""
    experiment, found = left_out
    leave_out = calibration.leave_out

    def turned(clips, who):
        learn, test = leave_out(clips, who)
        others = {'happy': 'sad', 'sad': 'happy'}
        return learn, [type(clip)(**{**vars(clip), 'label': others.get(clip.label, clip.label)}) for clip in test]

    monkeypatch.setattr(calibration, 'leave_out', turned)
    rows = [(row.table.title, row.detail) for row in experiment.rows]
    again = dict(zip(rows, experiment.run('emodb', 0), strict=True))
    for way in WAYS:
        before, after = (of[calibration.VOICE.title, f'{way}, one network, its temperature'] for of in (found, again))
        assert not np.array_equal(before.labels, after.labels)
        assert np.array_equal(before.probabilities, after.probabilities)
