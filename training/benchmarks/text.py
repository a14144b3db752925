# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Words: the text encoder and a simple reference on GoEmotions, as written and as a robot hears them."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from smern_ros.models.words import Words
from smern_ros.spec import LABELS, TEXT
from smern_ros.text.sentence_encoder import SentenceEncoder
from smern_ros.training.benchmarks.experiment import BenchmarkRow, BenchmarkTable, Experiment, Need
from smern_ros.training.common.cache import SPEECH_RECOGNITION
from smern_ros.training.common.metrics import measure
from smern_ros.training.corpora import Comment
from smern_ros.training.fusion.calibrate import of_modalities, tempered
from smern_ros.training.fusion.distill import EncodedSource as Opinions
from smern_ros.training.iemocap.experiments.integrate import Predictions
from smern_ros.training.open_model.samples import FULL, TRIAL, Size, label_of, smaller, some_of_each_label, text_split
from smern_ros.training.text import synthesize, text_trainer
from smern_ros.training.text.text_trainer import Reading, TextRecipe, train_words

FOLDS = ('test',)
SEEDS = (1, 2, 3)
SPOKEN, SPOKEN_TRIAL = 1000, 8
"""At most so many comments of the test part are spoken, as many of each label: three to four minutes of one core."""

SHIPPED = 'Words'
VARIANTS = {
    SHIPPED: ('the shipped recipe', TextRecipe()),
    'Words, not pretrained': ('trained on comments with our emotions alone', TextRecipe(pretraining=0)),
}
REFERENCE = 'TF-IDF + logistic regression'
STRENGTHS, PHRASES = (0.1, 0.3, 1.0, 3.0), (1, 2)
"""C of the regression, and the most words of a phrase that it counts: chosen on the development part."""


def experiments(data: Path, cache: Path, trial: bool) -> Iterable[Experiment]:
    """See `experiment`."""
    size, count = (TRIAL, SPOKEN_TRIAL) if trial else (FULL, SPOKEN)
    source = TextSource(data, cache, size, count)
    written, heard = _tables(source)
    needs = (
        Need('comments as they are heard', partial(_hear, source)), Need('vectors of comments', source.reading),
    )
    made_of = {'size': asdict(size), 'spoken': count, 'speech': _version()}
    modules = (
        'smern_ros.models.words',
        *SPEECH_RECOGNITION,
        'smern_ros.text',
        'smern_ros.training.fusion.calibrate',
        'smern_ros.training.corpora.goemotions',
        'smern_ros.training.common.trainer',
        'smern_ros.training.benchmarks.text',
        'smern_ros.training.text.text_trainer',
        'smern_ros.training.text.synthesize',
        *(
            f'smern_ros.training.open_model.samples:{name}'
            for name in ('pretraining_comments', 'smaller', 'some_of_each_label', 'text_batch', 'text_split')
        ),
    )

    def rows(name: str, detail: str) -> tuple[BenchmarkRow, ...]:
        return (
            BenchmarkRow(written, name, detail, confusion=name == SHIPPED, reliability=name == SHIPPED),
            BenchmarkRow(heard, name, 'as written', reliability=name == SHIPPED),
            BenchmarkRow(heard, name, 'as heard', confusion=name == SHIPPED, reliability=name == SHIPPED),
        )

    yield Experiment(
        f'words, {REFERENCE}', rows(REFERENCE, 'class weights, scikit-learn; the same at every seed'), FOLDS, (0,),
        {**made_of, 'strengths': STRENGTHS, 'phrases': PHRASES}, modules, Reference(source), needs,
    )
    for name, (detail, recipe) in VARIANTS.items():
        seeds = SEEDS if name == SHIPPED and not trial else SEEDS[:1]
        yield Experiment(
            f'words, {name}', rows(name, detail), FOLDS, seeds, {**made_of, 'recipe': asdict(recipe)}, modules,
            Trained(source, recipe), needs,
        )


@dataclass(frozen=True)
class TextSource:
    """Where the comments come from, and how many."""

    data: Path
    cache: Path
    size: Size
    spoken: int  # of the test part, at most

    def reading(self) -> Reading:
        """What the encoder learns from; the vectors come from the cache if they can."""
        return Reading.read(self.data, self.cache, comments=self.size.comments)

    def to_speak(self) -> list[Comment]:
        """Drawn at random from the whole test part, as many of each label as there are."""
        test = text_split(self.data).test
        return some_of_each_label(synthesize.some(test, len(test)), self.spoken)

    def recognised(self) -> list[Comment]:
        """The same, with the words that were heard. :raises SpeechMissing: if nothing can be spoken."""
        spoken = self.to_speak()
        found = synthesize.recognise_texts([synthesize.speakable(comment.text) for comment in spoken], self.cache)
        return [replace(comment, text=recognised.text) for comment, recognised in zip(spoken, found, strict=True)]


@dataclass(frozen=True)
class Trained:
    """The text encoder, after its temperature."""

    source: TextSource
    recipe: TextRecipe

    def __call__(self, fold: str, seed: int) -> list[Predictions]:
        reading = self.source.reading()
        network = train_words(reading, epochs=self.source.size.text_epochs, seed=seed, recipe=self.recipe)
        temperature = of_modalities({TEXT: opinions(reading, 'lossy', network)})[TEXT]
        encoder = SentenceEncoder()

        def predict(texts: Sequence[str]) -> np.ndarray:
            return tempered(text_trainer.probabilities(network, encoder, texts), temperature)

        return _tested(self.source, reading.comments.test, predict)


@torch.inference_mode()
def opinions(reading: Reading, part: str, network: Words) -> Opinions:
    """What it says of comments. :param part: see `sentences.items`."""
    items, labels = text_trainer.items(reading, part)
    logits = torch.cat([network(*text_trainer.batch([item], [0])[0]) for item in items])
    return Opinions(logits, logits, labels)


@dataclass(frozen=True)
class Reference:
    """Words and phrases counted; what counts least wrong on the development part, by unweighted average recall."""

    source: TextSource

    def __call__(self, fold: str, seed: int) -> list[Predictions]:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        comments = smaller(text_split(self.source.data), self.source.size.comments)
        truth, dev = ([label_of(comment) for comment in part] for part in (comments.train, comments.dev))
        best: Any = None
        best_uar = -1.0
        for longest in PHRASES:
            for strength in STRENGTHS:
                model = make_pipeline(
                    TfidfVectorizer(ngram_range=(1, longest), min_df=2, sublinear_tf=True),
                    LogisticRegression(C=strength, class_weight='balanced', max_iter=1000),
                ).fit([comment.text for comment in comments.train], truth)
                uar = measure(np.array(dev), model.predict_proba([comment.text for comment in comments.dev])).uar
                if uar > best_uar:
                    best, best_uar = model, uar
        return _tested(self.source, comments.test, best.predict_proba)


def _tested(source: TextSource, test: Sequence[Comment], predict) -> list[Predictions]:
    """Of the test part, of the comments to be spoken as they were written, and as they were heard.

    :param predict: texts to probabilities (N, 4).
    """
    try:
        parts = [test, source.to_speak(), source.recognised()]
    except synthesize.SpeechMissing:
        parts = [test, source.to_speak(), []]  # the table's note says why
    return [Predictions(
        ids=np.array([comment.id for comment in part], str),
        labels=np.array([label_of(comment) for comment in part], np.int64),
        probabilities=np.asarray(
            predict([comment.text for comment in part]) if part else np.empty((0, len(LABELS))), np.float32
        ),
    ) for part in parts]


def _tables(source: TextSource) -> tuple[BenchmarkTable, BenchmarkTable]:
    development = 'the published dev part (2,461 comments)'
    written = BenchmarkTable(
        'Words: GoEmotions',
        data='comments of an English forum that show one of our emotions (GoEmotions, CC BY 4.0): 20,373 to train on, '
             '2,490 to test',
        protocol='the split as published; of comments that are the same to the network, those of the first part are '
                 'kept. The text encoder reads them without capitals and punctuation',
        development=development,
        note=f'ECE is after the temperature of the shipped checkpoint, found on the development part, of which '
             f'{100 * text_trainer.WORD_LOSS:.0f} % of the words were left out',
    )
    heard = BenchmarkTable(
        'Words: GoEmotions, as a robot hears them',
        data=f'comments of the test part, drawn at random, at most {source.spoken // len(LABELS)} of each emotion; '
             'espeak-ng speaks each in one of many voices, rates and pitches, and the default recogniser writes down '
             'what it hears',
        protocol='as above; the encoders are the same ones',
        development=development,
        note=partial(_word_errors, source),
    )
    return written, heard


def _word_errors(source: TextSource) -> str:
    try:
        pairs = [(synthesize.speakable(spoken.text), recognised.text)
                 for spoken, recognised in zip(source.to_speak(), source.recognised(), strict=True)]
    except synthesize.SpeechMissing as error:
        return f'What is heard is missing here: {error}'
    wrong, words = (sum(numbers) for numbers in zip(*(synthesize.word_errors(*p) for p in pairs), strict=True))
    return (
        f'Word error rate: {100 * wrong / words:.1f} % of {words} words. docs/asr.md has that of people who read aloud'
    )


def _hear(source: TextSource) -> None:
    """Fills the cache, where it can."""
    try:
        source.recognised()
    except synthesize.SpeechMissing:
        return  # the rows stay empty, and the table's note says why


def _version() -> str | None:
    try:
        return synthesize.require()
    except synthesize.SpeechMissing:
        return None
