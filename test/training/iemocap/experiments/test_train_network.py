# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The trainer: the same seed, the same network; the test set is unseen; the papers' details."""
import copy
import dataclasses

import numpy as np
import pytest
import torch

from smern_ros.spec import LABELS
from smern_ros.text.vocabulary import Vocabulary
from smern_ros.training.iemocap.experiments import synthetic, train_network, vectors
from smern_ros.training.iemocap.experiments.network_samples import Preparation, samples
from smern_ros.training.iemocap.experiments.runs import Run, Start, execute
from smern_ros.training.iemocap.experiments.synthetic import SyntheticCorpusSpec
from smern_ros.training.iemocap.experiments.train_network import Machine, TrainingSettings, build
from smern_ros.training.iemocap.experiments.vectors import WordVectors, words_of

BRIEF = TrainingSettings(epochs=3, patience=3, batch=16, learning_rate=5e-3)


@pytest.fixture(scope='module')
def features():
    return synthetic.corpus(SyntheticCorpusSpec(utterances=160, frames=6, mocap_fraction=0))


def run(small, model='mdre', **fields):
    return Run(model, 'random', 0, overrides=small[model], settings=BRIEF, **fields)


@pytest.mark.parametrize('model', ['mdre', 'smern_ga_whole', 'xu', 'cnn3d'])
def test_the_same_seed_gives_the_same_result_whatever_was_drawn_before(model, features, small):
    first = execute(run(small, model), features)
    torch.rand(5)
    state = torch.random.get_rng_state()
    again = execute(run(small, model), features)
    assert torch.equal(state, torch.random.get_rng_state())
    assert np.array_equal(first.predictions.probabilities, again.predictions.probabilities)
    assert first.history == again.history
    other = execute(run(small, model, seed=1), features)
    assert first.history != other.history


def test_the_test_set_changes_nothing_but_its_own_predictions(features, small):
    before = execute(run(small, 'smern'), features)
    tampered = synthetic.corpus(SyntheticCorpusSpec(utterances=160, frames=6, mocap_fraction=0))
    tested = set(before.predictions.ids)
    for i, row in enumerate(tampered.utterances):
        if row.id in tested:
            tampered.prosody[i] = 9
            tampered.mfcc[tampered.mfcc_offsets[i] : tampered.mfcc_offsets[i + 1]] = -9
    after = execute(run(small, 'smern'), tampered)
    assert before.history == after.history
    assert all(torch.equal(a, b) for a, b in zip(
        before.network.state_dict().values(), after.network.state_dict().values(), strict=True
    ))
    assert not np.array_equal(before.predictions.probabilities, after.predictions.probabilities)


def test_what_was_learnt_before_stays_unless_an_epoch_is_better(features, small):
    first = execute(run(small, 'lstm'), features)
    ids = [row.id for row in features.utterances]
    learn, dev = (samples(features, part, first.preparation, 'lstm') for part in (ids[:40], ids[40:]))
    ruinous = TrainingSettings(epochs=2, patience=2, batch=16, learning_rate=0.5)
    before = {name: value.clone() for name, value in first.network.state_dict().items()}
    for pretrained in (True, False):
        network = copy.deepcopy(first.network)
        history = train_network.train(network, 'lstm', learn, dev, ruinous, 0, pretrained=pretrained)
        assert len(history) == 2 and min(epoch.dev_loss for epoch in history) > first.history[-1].dev_loss
        kept = all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
        assert kept is pretrained
    gentle = dataclasses.replace(ruinous, learning_rate=1e-3)
    network = copy.deepcopy(first.network)
    train_network.train(network, 'lstm', learn, learn, gentle, 0, pretrained=True)
    assert any(not torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_figure_5_keeps_the_pretrained_network_where_its_few_data_make_it_no_better(features, small):
    ruinous = dataclasses.replace(BRIEF, learning_rate=0.5)
    tuned = Run('lstm', 'new_speakers', 0, fraction=0.3, pretrained=True, overrides=small['lstm'], settings=ruinous)
    beforehand = execute(dataclasses.replace(tuned.beforehand, settings=BRIEF), features)
    start = Start(beforehand.preparation, beforehand.network.state_dict())
    outcome = execute(tuned, features, start=start)
    said = dict(zip(beforehand.predictions.ids, beforehand.predictions.probabilities, strict=True))
    assert np.allclose([said[i] for i in outcome.predictions.ids], outcome.predictions.probabilities, atol=1e-6)


def test_predictions_are_those_of_each_utterance_alone(features, small):
    """Batches by length are put back into order, and padding says nothing."""
    outcome = execute(run(small, 'smern_ga_whole'), features)
    one_by_one = execute(run(small, 'smern_ga_whole'), features)
    test = samples(features, outcome.predictions.ids, outcome.preparation, 'smern_ga_whole')
    alone = train_network.predict(one_by_one.network, test, 1)
    assert np.abs(alone - outcome.predictions.probabilities).max() < 1e-5
    truth = {row.id: row.label for row in features.utterances}
    predictions = outcome.predictions
    assert [LABELS[n] for n in predictions.labels] == [truth[i] for i in predictions.ids]
    assert predictions.probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_training_stops_when_development_gets_no_better_and_keeps_the_best(features, small):
    settings = TrainingSettings(epochs=200, patience=2, batch=16, learning_rate=2e-2)
    outcome = execute(Run('mdre', 'random', 0, overrides=small['mdre'], settings=settings), features)
    losses = [epoch.dev_loss for epoch in outcome.history]
    best = int(np.argmin(losses))
    assert best == len(losses) - 1 - settings.patience


@pytest.mark.parametrize(('model', 'clipped'), [('are', True), ('tre', True), ('mdre', True), ('lstm', False)])
def test_gradients_are_bounded_where_the_paper_of_the_network_says(model, clipped, features, small, monkeypatch):
    bounds = []
    real = torch.nn.utils.clip_grad_value_
    monkeypatch.setattr(
        torch.nn.utils, 'clip_grad_value_', lambda parameters, value: (bounds.append(value), real(parameters, value))
    )
    monkeypatch.setattr(torch.nn.utils, 'clip_grad_norm_', None)
    execute(run(small, model), features)
    assert set(bounds) == ({10.0} if clipped else set())


def test_a_batch_in_parts_is_the_same_batch(features, monkeypatch):
    """Without dropout, whose draws differ."""
    still = {'first_channels': 4, 'channels': 6, 'attention_size': 4, 'heads': 2, 'out': 8, 'dropout': 0.0}
    run = Run('smacn', 'random', 0, overrides=still, settings=BRIEF)
    losses = {}
    for steps in (30, 10_000):
        monkeypatch.setattr(train_network, 'AT_ONCE', steps)
        losses[steps] = [(e.train_loss, e.dev_loss) for e in execute(run, features).history]
    assert np.allclose(losses[30], losses[10_000], atol=1e-4)


@pytest.mark.parametrize('model', ['smern', 'cnn', 'cnn3d', 'mocap'])
def test_the_layout_of_the_memory_changes_nothing_of_what_is_computed(model, small):
    corpus = synthetic.corpus(SyntheticCorpusSpec(utterances=40, frames=6, mocap_fraction=1))
    ids = [row.id for row in corpus.utterances]
    preparation = Preparation.of(corpus, ids, model)
    network = build(model, preparation.inputs.vocabulary, small[model], 0)
    as_built = train_network.predict(network, samples(corpus, ids, preparation, model), 16)
    train_network.channels_last(network)
    assert any(not p.is_contiguous() for p in network.parameters())
    assert np.abs(train_network.predict(network, samples(corpus, ids, preparation, model), 16) - as_built).max() < 1e-6


def test_divergence_is_told_not_hidden(features, small):
    settings = TrainingSettings(epochs=5, patience=5, batch=16, learning_rate=1e30)
    with pytest.raises(ValueError, match='mdre diverged in epoch'):
        execute(Run('mdre', 'random', 0, overrides=small['mdre'], settings=settings), features)


def test_low_precision_trains_too(features, small):
    outcome = execute(run(small, 'smern'), features, machine=Machine(low_precision=True))
    assert np.isfinite(outcome.predictions.probabilities).all()
    assert outcome.history[-1].train_loss < outcome.history[0].train_loss


def test_three_dimensions_are_never_convolved_in_bfloat16_on_a_cpu(features, small):
    low, full = (execute(run(small, 'cnn3d'), features, machine=Machine(low_precision=low)) for low in (True, False))
    assert low.history == full.history


def test_a_device_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="device 'cuda:99'"):
        Machine('cuda:99').require()


@pytest.mark.parametrize('field', ['epochs', 'patience', 'batch', 'learning_rate'])
def test_settings_out_of_bounds_are_named(field):
    with pytest.raises(ValueError, match=field):
        TrainingSettings(**{field: 0})


@pytest.mark.parametrize('model', ['tre', 'mdre', 'smern', 'smern_ga_whole', 'cma', 'xu'])
def test_words_begin_with_their_vectors(model):
    vocabulary = Vocabulary(['well', 'zebra'])
    known = WordVectors({'well': 0}, np.arange(16, dtype=np.float32)[None])
    overrides = {'heads': 2} if model in ('cma', 'xu') else {}
    network = build(model, vocabulary, overrides, 0, known)
    embedding = next(m for m in network.modules() if isinstance(m, torch.nn.Embedding)).weight
    assert embedding.shape == (len(vocabulary), 16)
    assert embedding[3].tolist() == list(range(16))
    assert (embedding[0] == 0).all() and 0 < embedding[[1, 2, 4]].abs().max() <= 0.25
    assert embedding.requires_grad  # trainable, as in [30]


def test_glove_is_read_as_published(tmp_path):
    path = tmp_path / 'glove.txt'
    path.write_text('the 0.1 0.2\nwell 1 -2\n. . 3 4\nzebra 5 6\nwell 9 9\n')
    found = vectors.read(path, words_of(['Well, zebra!', 'okapi']))
    assert found.words == {'well': 0, 'zebra': 1}
    assert found.rows.tolist() == [[1, -2], [5, 6]]


@pytest.mark.parametrize(
    ('text', 'message'),
    [('well 1 2\nzebra 1\n', 'line 2'), ('well a b\n', 'line 1'), ('the 1 2\n', 'none of'), ('', 'none of')],
)
def test_a_file_that_is_no_glove_is_told(tmp_path, text, message):
    path = tmp_path / 'glove.txt'
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        vectors.read(path, {'well', 'zebra'})
    with pytest.raises(ValueError, match='cannot be read'):
        vectors.read(tmp_path / 'absent.txt', {'well'})
