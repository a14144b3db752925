# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Emotion in the voice of people never heard before: one speaker left out at a time, and one corpus."""
from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from smern_ros.models.person_statistics import NOBODY
from smern_ros.spec import LABELS
from smern_ros.training.audio.audio_trainer import RECIPE, AudioRecipe
from smern_ros.training.benchmarks.experiment import BenchmarkRow, BenchmarkTable, Experiment
from smern_ros.training.benchmarks.speakers import READERS, Condition, SpeechSource, run_functionals, run_voice
from smern_ros.training.common.cache import AUDIO_FEATURES, SPEECH_ENCODER
from smern_ros.training.corpora import emodb, nemo, ravdess

NAMES = {emodb.CORPUS: 'EMO-DB', nemo.CORPUS: 'nEMO', ravdess.CORPUS: 'RAVDESS'}
LANGUAGES = {emodb.CORPUS: 'German', nemo.CORPUS: 'Polish', ravdess.CORPUS: 'North American English'}
SECONDS = (0.0, 2.0, 5.0, 10.0, 20.0, 40.0, math.inf)
"""Of a person's speech heard before the utterance at hand."""
SEEDS = (0,)
"""The problem is convex: by chance are only the altered copies, which never change, and what is known of a speaker."""
UNKNOWN, KNOWN, FALLBACK = 'speaker unknown', 'speaker known', 'without the speech encoder'
WAYS = {UNKNOWN: 0.0, KNOWN: math.inf}
_MODULES = (
    *AUDIO_FEATURES,
    *SPEECH_ENCODER,
    'smern_ros.spec',
    'smern_ros.models.person_statistics:Moments',
    'smern_ros.models.person_statistics:PersonStatistics',
    'smern_ros.models.inputs:InputEncoder',
    'smern_ros.models.voice',
    'smern_ros.models.masked:mean_and_deviation',
    'smern_ros.training.corpora.emodb',
    'smern_ros.training.corpora.nemo',
    'smern_ros.training.corpora.ravdess',
    'smern_ros.training.audio.audio_augment',
    'smern_ros.training.open_model.samples:audio_batch',
    'smern_ros.training.open_model.samples:some_of_each_label',
    'smern_ros.training.common.normalisation:of_audio',
    'smern_ros.training.audio.speaker_context',
    'smern_ros.training.audio.audio_trainer',
    'smern_ros.training.benchmarks.references',
    'smern_ros.training.benchmarks.speakers',
)


@dataclass(frozen=True)
class SpeechMeasure:
    """What is measured for a row."""

    row: BenchmarkRow
    condition: Condition


def experiments(data: Path, cache: Path, trial: bool) -> Iterable[Experiment]:
    source = SpeechSource(data, cache, trial)
    recipe = replace(RECIPE, variants=1) if trial else RECIPE
    for corpus in READERS:
        table = _speakers_table(source, corpus)
        folds = source.speakers(corpus)
        yield from _reference(source, f'{corpus}, functionals', table, folds, (corpus,))
        curve = [
            SpeechMeasure(BenchmarkRow(CURVE, NAMES[corpus], at=seconds), Condition(seconds)) for seconds in SECONDS
        ]
        yield _voice(source, corpus, folds, recipe, [*_ways(table, ''), *curve])
    for corpus in READERS:
        yield from _reference(
            source, f'{corpus} left out, functionals', CORPUS_OUT, (corpus,), tuple(READERS), f': {NAMES[corpus]}'
        )
        yield _voice(source, f'{corpus} left out', (corpus,), recipe, _ways(CORPUS_OUT, f': {NAMES[corpus]}'))
    for name, changed in _changed(recipe).items():
        measures = [
            SpeechMeasure(BenchmarkRow(ABLATION, name, detail), Condition(seconds)) for detail, seconds in WAYS.items()
            if detail == UNKNOWN or changed.person != NOBODY
        ]
        yield _voice(source, f'a corpus left out, {name}', tuple(READERS), changed, measures)


def _changed(recipe: AudioRecipe) -> dict[str, AudioRecipe]:
    """The recipe with one thing changed, by its name."""
    return {
        'the recipe': recipe,
        'the speech encoder alone': replace(recipe, acoustic=0.0),
        'MFCC and prosody with their whole deviation': replace(recipe, acoustic=1.0),
        'no altered copies': replace(recipe, variants=0),
        'one scale for all speakers': replace(recipe, person=NOBODY),
        'a penalty of a third': replace(recipe, penalty=recipe.penalty / 3),
        'a threefold penalty': replace(recipe, penalty=3 * recipe.penalty),
    }


def _reference(
    source: SpeechSource,
    name: str,
    table: BenchmarkTable,
    folds: tuple[str, ...],
    corpora: tuple[str, ...],
    of: str = '',
) -> Iterable[Experiment]:
    for known, detail in ((False, UNKNOWN), (True, KNOWN)):
        yield Experiment(
            name=f'speech, {name}, {detail}', rows=(BenchmarkRow(table, f'functionals and linear SVM{of}', detail),),
            folds=folds, seeds=(0,), config={'trial': source.trial, 'by_speaker': known, 'corpora': corpora},
            modules=_MODULES, needs=source.needs(corpora), run=partial(run_functionals, source, corpora, known),
        )


def _ways(table: BenchmarkTable, of: str) -> list[SpeechMeasure]:
    return [
        SpeechMeasure(
            BenchmarkRow(table, f'Voice, {FALLBACK}{of}' if without else f'Voice{of}', detail, confusion=not without),
            Condition(seconds, speech=not without),
        )
        for without in (False, True)
        for detail, seconds in WAYS.items()
    ]


def _voice(
    source: SpeechSource, name: str, folds: tuple[str, ...], recipe: AudioRecipe, measures: Sequence[SpeechMeasure]
) -> Experiment:
    return Experiment(
        name=f'speech, {name}', rows=tuple(measure.row for measure in measures), folds=folds, seeds=SEEDS,
        config={
            'trial': source.trial, 'recipe': dataclasses.asdict(recipe),
            'measured': [[str(measure.condition.seconds), measure.condition.speech] for measure in measures],
        },
        modules=_MODULES, needs=source.needs(READERS),
        run=partial(run_voice, source, recipe, tuple(m.condition for m in measures)),
    )


_DEVELOPMENT = (
    'penalty and deviations were chosen by leaving out an eighth of the speakers at a time, and one corpus at a time, '
    'all without the speakers whom the checkpoint is tested on; the figures are of everybody. No fold looks at those '
    'left out'
)
_KNOWN = (
    f'"{KNOWN}": normalised by all other utterances of the same speaker, without labels, as often done in the '
    f'literature; these show all emotions about equally often, as a person in front of a robot would not. '
    f'"{UNKNOWN}": nothing was heard before the utterance. "{FALLBACK}": as where its weights are missing'
)


def _speakers_table(source: SpeechSource, corpus: str) -> BenchmarkTable:
    clips = source.clips(corpus)
    labels: Mapping[str, int] = Counter(clip.label for clip in clips)
    counts = ', '.join(f'{label} {labels[label]}' for label in LABELS)
    return BenchmarkTable(
        title=f'Speech: {NAMES[corpus]}',
        data=f'{NAMES[corpus]}, {LANGUAGES[corpus]}, acted: {len(clips)} utterances of {len(source.speakers(corpus))} '
        f'speakers ({counts}). Every sentence is spoken in every emotion: the words tell nothing. The sentences '
        'tested were learnt from, said by others',
        protocol='leave one speaker out; the encoder learns from all others, of all corpora, the reference from those '
        'of this corpus. Checked in each fold: no speaker and no recording is on both sides',
        development=_DEVELOPMENT, note=_KNOWN,
    )


CORPUS_OUT = BenchmarkTable(
    title='Speech: a corpus left out',
    data='as above: another language and another microphone than any learnt from',
    protocol='leave one corpus out; encoder and reference learn from the two others. Checked: no speaker and no '
    'recording is on both sides',
    development=_DEVELOPMENT, note=_KNOWN,
)
CURVE = BenchmarkTable(
    title='Speech: how long a person must be heard',
    data='as above', protocol='leave one speaker out; before each utterance so many seconds of others of the same '
    "speaker were heard, in an order by chance, from which the speaker's mean and deviation are estimated, without "
    'labels',
    development=_DEVELOPMENT, axis='seconds of the speaker heard before',
)
ABLATION = BenchmarkTable(
    title='Speech: what of the recipe is worth how much',
    data='the three corpora together, as above', protocol='leave one corpus out, with one thing changed at a time',
    development=_DEVELOPMENT, note='Differences of two points or less tell nothing',
)
