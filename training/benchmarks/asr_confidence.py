# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Words that the recogniser doubts: what they are worth by its confidence, and the rule that does most with them."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from smern_ros.emotion import checkpoint as checkpoints
from smern_ros.emotion.predictor import EmotionPredictor
from smern_ros.emotion.shipped_checkpoints import checkpoint_folder
from smern_ros.spec import LABELS, TEXT
from smern_ros.training.audio.audio_augment import load
from smern_ros.training.benchmarks.experiment import BenchmarkRow, BenchmarkTable, Experiment, Need
from smern_ros.training.common.cache import SPEECH_RECOGNITION
from smern_ros.training.corpora import Clip, Comment, emodb, nemo
from smern_ros.training.iemocap.experiments.integrate import Predictions
from smern_ros.training.open_model.samples import label_of, some_of_each_label, speech_split, text_split
from smern_ros.training.text import synthesize
from smern_ros.training.text.synthesize import RecognisedText
from smern_ros.values import DOUBTFUL_TEXT, Transcript

PARTS = {'dev': 'development', 'test': 'test'}
BACKGROUNDS: tuple[Mapping[str, Any], ...] = (
    {}, {'background': 'noise', 'snr': 5.0}, {'background': 'noise', 'snr': 0.0}, {'background': 'noise', 'snr': -5.0},
    {'background': 'voices', 'snr': 10.0}, {'background': 'voices', 'snr': 5.0}, {'background': 'voices', 'snr': 0.0},
    {'backwards': True},
)
"""How comments are spoken, each in one of these ways: what is changed of their own voice."""
FOREIGN = (emodb, nemo)
"""Corpora of languages that the recogniser does not know: it hears English words in them."""
COMMENTS, CLIPS = 480, 40
"""Of each part; of each foreign corpus in each part. Together seven minutes of one core."""

BINS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Of confidence."""
EVERY = 'every word counts'


def _rising(low: float, high: float, confidence: np.ndarray) -> np.ndarray:
    return np.clip((confidence - low) / (high - low), 0.0, 1.0)


RULES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    EVERY: np.ones_like,
    **{f'none counts below {t}': partial(np.less_equal, t) for t in (0.3, 0.4, DOUBTFUL_TEXT, 0.6, 0.7, 0.8)},
    'all count as much as the confidence': lambda c: c,
    'all count as much as its square': lambda c: c**2,
    **{f'they count from {low}, wholly from {high}': partial(_rising, low, high) for low, high in (
        (0.2, 0.8), (0.3, 0.7), (0.3, 0.8), (0.4, 0.8), (0.5, 0.9),
    )},
}
"""By name: confidences (N,) to how much the words count, 0..1, by which their log-probabilities are multiplied."""
ROBOTS = f'none counts below {DOUBTFUL_TEXT}'
_MODULES = (
    *SPEECH_RECOGNITION,
    'smern_ros.emotion.checkpoint',
    'smern_ros.models',
    'smern_ros.emotion.predictor',
    'smern_ros.text',
    'smern_ros.training.corpora',
    'smern_ros.training.benchmarks.asr_confidence',
    'smern_ros.training.open_model.samples',
    'smern_ros.training.audio.audio_augment:load',
    'smern_ros.training.text.synthesize',
)


def experiments(data: Path, cache: Path, trial: bool) -> Iterable[Experiment]:
    """See `experiment`."""
    source = AsrConfidenceSource(data, cache, checkpoint_folder(), 32 if trial else COMMENTS, 4 if trial else CLIPS)
    by_confidence, by_rule = _tables(source)
    for part, called in PARTS.items():
        rows = (
            *(BenchmarkRow(by_confidence, called, at=low, loss=True) for low, _ in pairwise(BINS)),
            *(BenchmarkRow(by_rule, rule, called, loss=True) for rule in RULES),
        )
        yield Experiment(
            f'doubtful words, {called} part', rows, (part,), (0,),
            {'checkpoint': checkpoints.digest(source.checkpoint), 'comments': source.comments, 'clips': source.clips},
            _MODULES, partial(run, source), (Need('utterances in which words may be doubted', partial(_hear, source)),),
        )


@dataclass(frozen=True)
class AsrConfidenceSource:
    """Where what is heard comes from, and who reads it."""

    data: Path
    cache: Path
    checkpoint: Path
    comments: int  # of each part, at most
    clips: int     # of each foreign corpus in each part, at most

    def recognised(self, part: str) -> list[tuple[int, RecognisedText]]:
        """Label, and what was heard; of all in which words were heard.

        :param part: dev or test.
        :raises SpeechMissing: if nothing can be spoken.
        """
        comments, clips = self._comments(part), self._clips(part)
        texts = [synthesize.speakable(comment.text) for comment in comments]
        voices = [replace(synthesize.voice(text), **BACKGROUNDS[i % len(BACKGROUNDS)]) for i, text in enumerate(texts)]
        sounds = {f'{clip.corpus}/{clip.id}': partial(load, clip) for clip in clips}
        found = [
            *synthesize.recognise_texts(texts, self.cache, voices),
            *map(synthesize.recognise(sounds, self.cache).get, sounds),
        ]
        return [
            (label_of(spoken), text) for spoken, text in zip([*comments, *clips], found, strict=True)
            if text is not None and text.text.strip()
        ]

    def _comments(self, part: str) -> list[Comment]:
        every = getattr(text_split(self.data), part)
        return some_of_each_label(synthesize.some(every, len(every)), self.comments)

    def _clips(self, part: str) -> list[Clip]:
        """For development of speakers of the training part, too: no text encoder learns from any of them."""
        split = speech_split(self.data)
        every = split.test if part == 'test' else [*split.train, *split.dev]
        return [
            clip for corpus in FOREIGN
            for clip in some_of_each_label([clip for clip in every if clip.corpus == corpus.CORPUS], self.clips)
        ]


def run(source: AsrConfidenceSource, part: str, seed: int) -> list[Predictions]:
    """In the order of the rows: every bin of confidence, and every rule."""
    try:
        heard = source.recognised(part)
    except synthesize.SpeechMissing:
        heard = []  # the table's note says why
    labels = np.array([label for label, _ in heard], np.int64)
    confidence = np.array([found.confidence for _, found in heard])
    predicted = _text_probabilities(EmotionPredictor.load(source.checkpoint), [found.text for _, found in heard])
    bins = [(low <= confidence) & (confidence < (high if high < 1 else np.inf)) for low, high in pairwise(BINS)]
    return [
        *(_predictions(labels, predicted, rows) for rows in bins),
        *(_predictions(labels, weighed(predicted, rule(confidence)), labels >= 0) for rule in RULES.values()),
    ]


def weighed(probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The probabilities, (N, 4), of log-probabilities that are multiplied by weights, (N,): an even guess of none."""
    logs = np.log(np.maximum(probabilities, 1e-12)) * weights[:, None]
    weighed = np.exp(logs - logs.max(axis=1, keepdims=True)) if len(logs) else logs
    return weighed / weighed.sum(axis=1, keepdims=True)


def _text_probabilities(predictor: EmotionPredictor, texts: Sequence[str]) -> np.ndarray:
    """(N, 4), what the checkpoint says of the words alone, as if nobody doubted them."""
    even = np.full(len(LABELS), 1 / len(LABELS), np.float32)
    vectors = [predictor.encode_text(Transcript('', 0, 0, text)) for text in texts]
    predicted = [even if v is None else predictor.fuse({TEXT: v}).probabilities for v in vectors]
    return np.array(predicted, np.float32).reshape(-1, len(LABELS))


def _predictions(labels: np.ndarray, probabilities: np.ndarray, rows: np.ndarray) -> Predictions:
    """Of some rows; of none if a label is not among them."""
    rows = np.flatnonzero(rows)
    if len(set(labels[rows].tolist())) < len(LABELS):
        rows = rows[:0]
    return Predictions(np.array([str(i) for i in rows], str), labels[rows], probabilities[rows].astype(np.float32))


def _tables(source: AsrConfidenceSource) -> tuple[BenchmarkTable, BenchmarkTable]:
    data = (
        f'comments of GoEmotions, {source.comments // len(LABELS)} of each emotion in each part, spoken by espeak-ng: '
        'an eighth each clean, in pink noise of 5, 0 and -5 dB, with other voices at 10, 5 and 0 dB beside, and '
        f'backwards, so that no words are said; and {source.clips} utterances each of EMO-DB and nEMO in each part, '
        'whose German and Polish is heard as English. All as the default recogniser hears it, where it hears words at '
        'all; backwards and in other languages they tell nothing of the emotion'
    )
    protocol = 'the shipped checkpoint, from words alone. Cross-entropy in nats: that of an even guess is 1.386'
    development = 'the published dev part of GoEmotions, which stops the training of the checkpoint, and other speakers'
    return (
        BenchmarkTable(
            'Words by how sure the recogniser is of them',
            data,
            protocol,
            development,
            axis='confidence of the transcript, from',
            note=partial(_missing, source),
        ),
        BenchmarkTable(
            'Words by how sure the recogniser is of them: how much they may count',
            data,
            protocol,
            development,
            note=partial(_verdict, source),
        ),
    )


def _verdict(source: AsrConfidenceSource) -> str:
    """Whether the rule that is best on the development part is better than the robot's on the test part, too."""
    losses = {}
    for part in PARTS:
        found = run(source, part, 0)[-len(RULES):]
        if not len(found[0].ids):
            return 'Too little was heard to compare the rules'
        losses[part] = {rule: _losses(predictions) for rule, predictions in zip(RULES, found, strict=True)}
    best = min(losses['dev'], key=lambda rule: losses['dev'][rule].mean())
    gains = {part: of[ROBOTS] - of[best] for part, of in losses.items()}
    rates = ', '.join(
        f'{gain.mean():+.3f} ± {gain.std() / np.sqrt(len(gain)):.3f} on the {PARTS[part]} part'
        for part, gain in gains.items()
    )
    return f"The robot's rule: {ROBOTS}. The best on the development part: {best}. What it gains, with its standard " \
           f'error over transcripts: {rates}'


def _losses(predictions: Predictions) -> np.ndarray:
    """(N,) nats."""
    return -np.log(np.maximum(predictions.probabilities[np.arange(len(predictions.ids)), predictions.labels], 1e-12))


def _missing(source: AsrConfidenceSource) -> str:
    try:
        source.recognised('dev')
    except synthesize.SpeechMissing as error:
        return f'What is heard is missing here: {error}'
    return 'A bin without all four emotions is left out'


def _hear(source: AsrConfidenceSource) -> None:
    """Fills the cache, where it can."""
    try:
        for part in PARTS:
            source.recognised(part)
    except synthesize.SpeechMissing:
        return  # the rows stay empty, and the note says why
