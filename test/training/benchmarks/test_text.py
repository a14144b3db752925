# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Experiments on words: nothing tested was learnt from, and without a voice the rest is done all the same."""
import dataclasses

import numpy as np
import pytest

from smern_ros.training.benchmarks import text
from smern_ros.training.open_model.samples import pretraining_comments, text_split
from smern_ros.training.text import synthesize
from smern_ros.training.text.text_trainer import TextRecipe


@pytest.fixture
def source(shared_data, tmp_path, trial):
    return text.TextSource(shared_data, tmp_path, trial, spoken=8)


@pytest.fixture
def mute(monkeypatch):
    """espeak-ng is not installed."""
    monkeypatch.setenv('PATH', '/nowhere')


def test_no_comment_is_both_learnt_from_and_tested(shared_data):
    split, pretraining = text_split(shared_data), pretraining_comments(shared_data)
    learnt = {comment.text for comment in (*split.train, *pretraining)}
    chosen, tested = ({comment.text for comment in part} for part in (split.dev, split.test))
    assert not learnt & tested and not chosen & tested and not learnt & chosen
    assert len(pretraining) > 2 * len(split.train)


def test_the_experiments_name_their_tables_and_differ_in_their_configuration(shared_data, tmp_path):
    found = list(text.experiments(shared_data, tmp_path, trial=True))
    assert len({experiment.name for experiment in found}) == len(found)
    assert len({str(experiment.config) for experiment in found}) == len(found)
    assert len({row.table for experiment in found for row in experiment.rows}) == 2


def test_without_a_voice_what_is_written_is_tested_and_the_note_tells_how_to_get_one(source, mute):
    written, to_speak, heard = text.Reference(source)('test', 0)
    assert len(written.ids) == len(set(written.ids)) == source.size.comments
    assert len(to_speak.ids) == 8 and len(heard.ids) == 0
    assert np.allclose(written.probabilities.sum(axis=1), 1, atol=1e-5)
    assert 'apt-get install espeak-ng' in text._word_errors(source)
    text._hear(source)  # no error


@pytest.mark.slow
@pytest.mark.weights
def test_the_same_seed_gives_the_same_predictions(source, mute):
    run = text.Trained(dataclasses.replace(source, spoken=2), TextRecipe(pretraining=1))
    first, again = (run('test', seed=1)[0].probabilities for _ in range(2))
    assert np.array_equal(first, again)
    assert first.std(axis=0).min() > 0  # it looks at the comments


@pytest.mark.slow
@pytest.mark.weights
def test_what_was_heard_is_tested_with_the_labels_of_what_was_said(source):
    try:
        synthesize.require()
    except synthesize.SpeechMissing as missing:
        pytest.skip(str(missing))
    _, said, heard = text.Reference(source)('test', 0)
    assert np.array_equal(said.ids, heard.ids) and np.array_equal(said.labels, heard.labels)
    assert text._word_errors(source).startswith('Word error rate: ')


def test_the_comments_to_speak_are_of_the_test_part(source, shared_data):
    tested = {comment.id for comment in text_split(shared_data).test}
    assert {comment.id for comment in source.to_speak()} <= tested
