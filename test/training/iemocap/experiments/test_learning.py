# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every network finds what was put in, fuses it, and none finds more than there is."""
import dataclasses

import numpy as np
import pytest

from smern_ros.spec import LABELS, MODALITIES
from smern_ros.training.iemocap.experiments import network_samples, synthetic
from smern_ros.training.iemocap.experiments.integrate import Predictions, score
from smern_ros.training.iemocap.experiments.protocols import Fold
from smern_ros.training.iemocap.experiments.synthetic import SOURCES, ceiling, margin
from smern_ros.training.iemocap.experiments.train_network import TrainingSettings, build, predict, train

pytestmark = pytest.mark.slow

CHANCE = 1 / len(LABELS)


def learn(features, model, hyper_parameters, settings):
    """Figures on 400 utterances (of motion capture fewer) that were never seen. Utterances are in random order."""
    ids = [row.id for row in features.utterances]
    fold = Fold(tuple(ids[:520]), tuple(ids[520:600]), tuple(ids[600:]), 'fold')
    fold = fold.only(network_samples.usable(features, model))
    preparation = network_samples.Preparation.of(features, fold.train, model)
    parts = [network_samples.samples(features, part, preparation, model) for part in (fold.train, fold.dev, fold.test)]
    network = build(model, preparation.inputs.vocabulary, hyper_parameters, 1)
    train(network, model, *parts[:2], settings, 2)
    test = parts[2]
    return score(Predictions(np.array(test.ids), np.array(test.labels), predict(network, test, 128)))


@pytest.fixture(scope='module')
def scores(corpus, small, quick):
    """By network, each trained when it is first asked for."""
    class Scores(dict):
        def __missing__(self, model):
            large = model == 'mocap'  # 200 x 189 numbers an utterance
            settings = TrainingSettings(epochs=4, patience=4, batch=16) if large else quick
            self[model] = learn(corpus, model, small[model], settings)
            return self[model]

    return Scores()


@pytest.mark.parametrize('model', SOURCES)
def test_a_network_is_above_chance_and_not_above_what_there_is(scores, plan, model):
    best, found = ceiling(plan, SOURCES[model]), scores[model]
    assert found.uar > CHANCE + margin(CHANCE, found.count)
    assert found.war <= best.war + margin(best.war, found.count)
    assert found.uar <= best.uar + margin(best.uar, found.count)


@pytest.mark.parametrize('model', ['mdre', 'smern', 'smern_ga_whole', 'cma', 'xu'])
def test_a_network_of_several_modalities_is_above_what_any_one_of_them_tells(scores, plan, model):
    alone = max(ceiling(plan, (source,)).war for source in SOURCES[model])
    assert scores[model].war > alone + margin(alone, scores[model].count)


def test_the_order_is_that_of_the_modalities(scores):
    def mean(sources):
        return np.mean([scores[model].uar for model, of in SOURCES.items() if of == sources])

    assert max(mean(('audio',)), mean(('text',))) < mean(('audio', 'text')) < mean(MODALITIES)


@pytest.mark.parametrize('model', ['mdre', 'lstm'])
def test_of_permuted_labels_nothing_is_learnt(plan, small, quick, model):
    permuted = synthetic.corpus(dataclasses.replace(plan, permuted=True, mocap_fraction=0))
    found = learn(permuted, model, small[model], quick)
    assert found.uar == pytest.approx(CHANCE, abs=margin(CHANCE, found.count))
