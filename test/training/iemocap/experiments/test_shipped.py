# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The shipped encoders on the paper's folds: taught by their own trainers, and beside the paper's networks."""
import dataclasses
import json

import numpy as np
import pytest
from support.extra import with_extra

from smern_ros.training.iemocap.experiments import synthetic
from smern_ros.training.iemocap.experiments.code import code_of
from smern_ros.training.iemocap.experiments.results import ExperimentStore, ExperimentStoreError, digest
from smern_ros.training.iemocap.experiments.run_experiments import Work, run_experiments
from smern_ros.training.iemocap.experiments.runs import Run, execute, plan
from smern_ros.training.iemocap.experiments.synthetic import SyntheticCorpusSpec
from smern_ros.training.iemocap.experiments.train_network import TRAINERS, TrainingSettings
from smern_ros.training.iemocap.features.feature_store import FeatureError

SETTINGS = TrainingSettings(epochs=30, patience=6, batch=32)
PLAN = SyntheticCorpusSpec(utterances=500, frames=6, mocap_fraction=0, audio=0.5)


@pytest.fixture(scope='module')
def without():
    return synthetic.corpus(PLAN)


@pytest.fixture(scope='module')
def features(without):
    return with_extra(without)


@pytest.fixture(scope='module')
def done(features, tmp_path_factory):
    """A repetition of voice and words in both divisions, and where it is."""
    folder = tmp_path_factory.mktemp('done')
    features.save(folder / 'features')
    runs = [run for protocol in ('random', 'leave_one_session_out')
            for run in plan(list(TRAINERS), protocol, repetitions=1, settings=SETTINGS)]
    assert run_experiments(runs, Work(folder / 'features', folder)) == []
    return ExperimentStore(folder), runs


@pytest.mark.parametrize('protocol', ['random', 'leave_one_session_out'])
def test_each_learns_what_its_features_show_and_both_together_more(done, protocol):
    store, runs = done
    of = {name: [run for run in runs if run.model == name and run.protocol == protocol] for name in TRAINERS}
    voice, words = (store.scores(of[name])[0].uar for name in TRAINERS)
    both, = store.scores([*of['voice'], *of['words']], together=True)
    # MFCC and prosody show the label in half of the utterances, and the speech encoder in another half.
    assert voice > 0.7 and 0.55 < words < 0.75
    assert both.uar > max(voice, words) + 0.05
    with pytest.raises(ValueError, match='one experiment'):
        store.scores([*of['voice'], *of['words']])


def test_a_run_is_the_same_however_often_it_is_done(features):
    for model in TRAINERS:
        run = Run(model, 'random', 0, settings=TrainingSettings(epochs=2))
        first, again = (execute(run, features).predictions.probabilities for _ in range(2))
        assert np.array_equal(first, again), model


def test_what_was_not_learnt_from_decides_nothing(features):
    """Features of the test part are changed: the network stays the same."""
    for model in TRAINERS:
        run = Run(model, 'random', 0, settings=TrainingSettings(epochs=2))
        outcome = execute(run, features)
        tested = set(outcome.predictions.ids.tolist())
        rows = np.array([row.id in tested for row in features.utterances])
        of_words = np.repeat(rows, np.diff(features.word_vectors_offsets))
        changed = dataclasses.replace(features, **{
            name: np.where(of_test[:, None], 9 - values, values).astype(values.dtype)
            for name, values, of_test in (
                ('speech', features.speech, rows), ('word_vectors', features.word_vectors, of_words),
            )
        })
        weights = execute(run, changed).network.state_dict()
        assert all(bool((weights[name] == value).all()) for name, value in outcome.network.state_dict().items()), model


def test_features_without_the_extra_are_refused_with_the_command_that_adds_it(without, tmp_path):
    without.save(tmp_path / 'features')
    with pytest.raises(FeatureError, match='smern features --extra'):
        run_experiments([Run('voice', 'random', 0)], Work(tmp_path / 'features', tmp_path))


def test_the_extra_may_come_later_and_be_missing_another_time_but_never_change(features, without, tmp_path):
    assert digest(without) == digest(features) != digest(features, extra=True)
    store = ExperimentStore(tmp_path)
    for claimed in (without, features, without, features):
        store.claim(claimed)
    with pytest.raises(ExperimentStoreError, match='different: extra'):
        store.claim(with_extra(without, seed=4))
    with pytest.raises(ExperimentStoreError, match='different: features'):
        store.claim(synthetic.corpus(dataclasses.replace(PLAN, seed=1)))
    assert 'extra' in json.loads((tmp_path / 'data.json').read_text())


def test_the_papers_networks_do_not_depend_on_the_code_of_the_extra(monkeypatch):
    from smern_ros.training.iemocap.experiments import code

    def trained_by(model):
        return {path.name for path in code._imported(TRAINERS[model].partition(':')[0])}

    assert {'audio_trainer.py', 'text_trainer.py'} <= trained_by('voice')
    read = {model: set() for model in ('are', 'voice')}
    whole = code._imported
    for model, files in read.items():
        code.code_of.cache_clear()
        monkeypatch.setattr(code, '_imported', lambda module, files=files: files.update(f := whole(module)) or f)
        code_of(model)
    names = {model: {f'{path.parent.name}/{path.name}' for path in files} for model, files in read.items()}
    assert 'text/text_trainer.py' in names['voice'] and 'experiments/shipped.py' in names['voice']
    assert not {'text/text_trainer.py', 'experiments/shipped.py', 'audio/audio_trainer.py'} & names['are']
