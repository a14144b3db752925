# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Words that the recogniser doubts: rules for how much they count, and what each is measured on."""
import dataclasses
from collections import Counter

import numpy as np
import pytest

from smern_ros.emotion.predictor import EmotionPredictor
from smern_ros.emotion.shipped_checkpoints import checkpoint_folder
from smern_ros.spec import LABELS
from smern_ros.training.benchmarks import asr_confidence
from smern_ros.training.benchmarks.experiment import jobs
from smern_ros.training.iemocap.experiments.integrate import Predictions
from smern_ros.training.text import synthesize
from smern_ros.training.text.synthesize import RecognisedText
from smern_ros.values import Transcript, UtteranceInputs


@pytest.fixture
def source(shared_data, tmp_path):
    return asr_confidence.AsrConfidenceSource(shared_data, tmp_path, checkpoint_folder(), comments=32, clips=4)


def test_what_counts_nothing_is_an_even_guess_and_what_counts_wholly_is_as_it_was():
    said = np.array([[.7, .1, .1, .1], [.1, .2, .3, .4], [1, 0, 0, 0]])
    weighed = asr_confidence.weighed(said, np.array([1.0, 0.0, 0.5]))
    np.testing.assert_allclose(weighed[0], said[0], rtol=1e-6)
    np.testing.assert_allclose(weighed[1], .25)
    assert np.argmax(asr_confidence.weighed(said, np.full(3, 0.5)), axis=1).tolist() == [0, 3, 0]
    assert asr_confidence.weighed(np.empty((0, 4)), np.empty(0)).shape == (0, 4)


def test_the_rule_of_the_robot_is_among_those_that_are_measured():
    confidence = np.linspace(0, 1, 101)
    counts = [not Transcript('', 0, 0, 'hello', (), c).doubtful for c in confidence]
    assert asr_confidence.RULES[asr_confidence.ROBOTS](confidence).tolist() == counts


def test_no_rule_lets_words_count_less_the_surer_they_are():
    for name, rule in asr_confidence.RULES.items():
        weights = np.asarray(rule(np.linspace(0, 1, 101)), float)
        assert (np.diff(weights) >= 0).all() and weights[-1] == 1, name


def test_development_and_test_share_neither_a_comment_nor_a_speaker(source):
    comments, clips = ({part: of(part) for part in asr_confidence.PARTS} for of in (source._comments, source._clips))
    assert not {c.text for c in comments['dev']} & {c.text for c in comments['test']}
    assert not {c.speaker for c in clips['dev']} & {c.speaker for c in clips['test']}
    assert {len(part) for part in comments.values()} == {32} and {len(part) for part in clips.values()} == {8}


def test_each_emotion_is_spoken_in_each_way_equally_often(source, monkeypatch):
    ways = []

    def heard(texts, cache, voices):
        ways.extend((voice.background, voice.snr, voice.backwards) for voice in voices)
        return [RecognisedText('yes', 0.9) for _ in texts]

    monkeypatch.setattr(synthesize, 'recognise_texts', heard)
    monkeypatch.setattr(synthesize, 'recognise', lambda sounds, cache: dict.fromkeys(sounds, RecognisedText(' ', 0.9)))
    labels = [label for label, _ in source.recognised('dev')]
    assert len(labels) == 32, 'where no word was heard, nothing is judged'
    counts = Counter(zip(labels, ways, strict=True))
    assert len(set(ways)) == len(asr_confidence.BACKGROUNDS) == len(counts) / len(LABELS)
    assert set(counts.values()) == {1}


@pytest.mark.weights
def test_every_row_has_its_predictions_and_a_bin_that_lacks_a_label_none(source, monkeypatch):
    heard = [(i % 4, RecognisedText('i am so happy', c)) for i, c in enumerate(np.repeat([0.2, 0.65, 0.95, 1.0], 4))]
    heard.append((0, RecognisedText('what', 0.45)))
    predictor = EmotionPredictor.load()
    monkeypatch.setattr(asr_confidence.AsrConfidenceSource, 'recognised', lambda self, part: heard)
    job, _ = [job for e in asr_confidence.experiments(source.data, source.cache, trial=True) for job in jobs(e)]
    found = dict(zip(job.experiment.rows, asr_confidence.run(source, 'dev', 0), strict=True))
    counts = {row.at: len(p.ids) for row, p in found.items() if row.at is not None}
    assert counts == {0.0: 4, 0.3: 0, 0.4: 0, 0.5: 0, 0.6: 4, 0.7: 0, 0.8: 0, 0.9: 8}
    by_rule = {row.name: p.probabilities for row, p in found.items() if row.at is None}
    assert {len(p) for p in by_rule.values()} == {17}
    np.testing.assert_allclose(by_rule['none counts below 0.5'][[0, -1]], 0.25)
    robots = predictor.predict(UtteranceInputs('u', 0, 1, text=Transcript('u', 0, 1, 'i am so happy', (), 0.65)))
    np.testing.assert_allclose(by_rule[asr_confidence.ROBOTS][4], robots.probabilities, atol=1e-5)
    assert (
        by_rule[asr_confidence.EVERY][0].argmax() == LABELS.index('happy')
        and by_rule[asr_confidence.EVERY][0].max() > 0.6
    )


def test_without_a_voice_the_note_tells_how_to_get_one(source, monkeypatch):
    monkeypatch.setenv('PATH', '/nowhere')
    assert 'apt-get install espeak-ng' in asr_confidence._missing(source)
    asr_confidence._hear(source)  # no error


def test_the_verdict_compares_the_robots_rule_with_the_best_of_the_development_part(source, monkeypatch):
    def told(source, part, seed):
        sure = {asr_confidence.ROBOTS: 0.5, 'all count as much as the confidence': 0.6 if part == 'dev' else 0.4}
        said = [np.full((8, 4), (1 - p) / 3) for p in (sure.get(rule, 0.25) for rule in asr_confidence.RULES)]
        labels = np.arange(8) % 4
        for rows, p in zip(said, (sure.get(rule, 0.25) for rule in asr_confidence.RULES), strict=True):
            rows[np.arange(8), labels] = p
        return [Predictions(np.arange(8).astype(str), labels, rows) for rows in said]

    monkeypatch.setattr(asr_confidence, 'run', told)
    verdict = asr_confidence._verdict(source)
    assert f"The robot's rule: {asr_confidence.ROBOTS}. The best on the development part: all count as much" in verdict
    assert f'{np.log(0.6 / 0.5):+.3f} ± 0.000 on the development part' in verdict
    assert f'{np.log(0.4 / 0.5):+.3f} ± 0.000 on the test part' in verdict


@pytest.mark.slow
@pytest.mark.weights
def test_all_in_which_words_are_heard_have_a_confidence(source):
    try:
        synthesize.require()
    except synthesize.SpeechMissing as missing:
        pytest.skip(str(missing))
    heard = dataclasses.replace(source, comments=16).recognised('dev')
    assert 12 < len(heard) <= 24
    assert all(found.text.strip() and 0 < found.confidence <= 1 for _, found in heard)
    assert len({label for label, _ in heard}) == len(LABELS)
