"""Emotion in the voice of people never heard before: EMO-DB and nEMO, one speaker left out at a time."""
from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from smern_ros.models.inputs import InputEncoder
from smern_ros.persons import NOBODY
from smern_ros.spec import LABELS
from smern_ros.text.vocabulary import Vocabulary
from smern_ros.training import speech
from smern_ros.training.corpora import Clip, emodb, nemo
from smern_ros.training.experiments.integrate import Predictions
from smern_ros.training.openset import functionals
from smern_ros.training.openset.experiment import Experiment, Need, Row, Table
from smern_ros.training.openset.held_out import leave_out
from smern_ros.training.persons import known_after, known_in_all
from smern_ros.training.samples import some_of_each_label
from smern_ros.training.voice import RECIPE, Item, Recipe, Spoken, audio_only, probabilities, teach

READERS = {emodb.CORPUS: emodb.read, nemo.CORPUS: nemo.read}
NAMES = {emodb.CORPUS: 'EMO-DB', nemo.CORPUS: 'nEMO'}
CHOSEN_ON = {
    emodb.CORPUS: frozenset({'emodb-03', 'emodb-08', 'emodb-11', 'emodb-13'}),
    nemo.CORPUS: frozenset({'nemo-EB0', 'nemo-KD0', 'nemo-KS0'}),
}
"""The development speakers: the recipe was chosen by what leaving each of these out gave."""
SECONDS = (0.0, 2.0, 5.0, 10.0, 20.0, 40.0, math.inf)
"""Of a person's speech heard before the utterance at hand."""
SEEDS = (0, 1, 2)
UNKNOWN, KNOWN, OTHERS = 'speaker unknown', 'speaker known', 'other speakers'
LITTLE = {'speakers': 3, 'clips': 8}
"""Of a trial: speakers of each corpus, and clips of each speaker."""
_MODULES = (
    'smern_ros.audio', 'smern_ros.spec', 'smern_ros.persons', 'smern_ros.models.inputs', 'smern_ros.models.are',
    'smern_ros.models.masked', 'smern_ros.models.recurrent', 'smern_ros.training.corpora', 'smern_ros.training.speech',
    'smern_ros.training.samples', 'smern_ros.training.loop', 'smern_ros.training.scaling', 'smern_ros.training.persons',
    'smern_ros.training.voice', 'smern_ros.training.openset.held_out', 'smern_ros.training.openset.functionals',
    'smern_ros.training.openset.speech',
)


@dataclass(frozen=True)
class Measure:
    """What is measured for a row."""

    row: Row
    seconds: float        # of the speaker's other utterances heard before
    others: bool = False  # only of the speakers on whom nothing was chosen


@dataclass(frozen=True)
class Source:
    """Where the clips are, and how many of them are used."""

    data: Path
    cache: Path
    trial: bool

    def clips(self, corpus: str) -> list[Clip]:
        clips = READERS[corpus](self.data)
        if not self.trial:
            return clips
        speakers = sorted({clip.speaker for clip in clips})[: LITTLE['speakers']]
        return [
            clip for speaker in speakers
            for clip in some_of_each_label([c for c in clips if c.speaker == speaker], LITTLE['clips'])
        ]

    def speakers(self, corpus: str) -> tuple[str, ...]:
        return tuple(sorted({clip.speaker for clip in self.clips(corpus)}))

    @property
    def variants(self) -> int:
        return 1 if self.trial else RECIPE.variants

    def spoken(self, clips: Sequence[Clip]) -> list[Spoken]:
        """With their features, speaker by speaker, each speaker's from the cache."""
        return [
            Spoken(clip, versions)
            for speaker in sorted({clip.speaker for clip in clips})
            for own in ([clip for clip in clips if clip.speaker == speaker],)
            for clip, versions in zip(own, speech.features(own, self.variants, self.cache), strict=True)
        ]

    def needs(self, corpora: Iterable[str]) -> tuple[Need, ...]:
        """The features of each speaker."""
        return tuple(
            Need(f'speech of {speaker}', partial(self.spoken, [c for c in self.clips(corpus) if c.speaker == speaker]))
            for corpus in corpora for speaker in self.speakers(corpus)
        )


def experiments(data: Path, cache: Path, trial: bool) -> Iterable[Experiment]:
    source = Source(data, cache, trial)
    recipe = replace(RECIPE, epochs=1, variants=1) if trial else RECIPE
    seeds = SEEDS[:1] if trial else SEEDS
    tables = {corpus: _table(source, corpus) for corpus in READERS}
    for corpus, table in tables.items():
        yield from _reference(source, corpus, table)
    for corpus, table in tables.items():
        yield _ours(source, corpus, table, recipe, seeds)
    for name, changed, corpora in _without(recipe):
        yield _ablation(source, name, changed, corpora)


def _without(recipe: Recipe) -> list[tuple[str, Recipe, tuple[str, ...]]]:
    """What of the recipe is worth how much: name, recipe and corpora learnt from."""
    one = (emodb.CORPUS,)
    return [
        ('the final state of the GRU, not statistics', replace(recipe, pooling='last'), one),
        ('no altered copies', replace(recipe, variants=0), one),
        ('one scale for all speakers', replace(recipe, person=NOBODY), one),
        ('steps of 30 ms, not 60', replace(recipe, stride=3), one),
        ('learnt from both corpora', recipe, tuple(READERS)),
        ("the paper's encoder, as recorded, one scale",
         replace(recipe, hidden=200, stride=1, pooling='last', variants=0, person=NOBODY), one),
    ]


def _reference(source: Source, corpus: str, table: Table) -> Iterable[Experiment]:
    for known, detail in ((False, UNKNOWN), (True, KNOWN)):
        name = 'functionals and linear SVM'
        yield Experiment(
            name=f'speech, {corpus}, functionals, {detail}',
            rows=(
                Row(table, name, detail, confusion=known),
                Row(table, f'{name}, {OTHERS}', detail),
            ),
            folds=source.speakers(corpus), seeds=(0,), config={'trial': source.trial, 'by_speaker': known},
            modules=_MODULES, needs=source.needs([corpus]), run=partial(run_functionals, source, corpus, known),
        )


def _ours(source: Source, corpus: str, table: Table, recipe: Recipe, seeds: tuple[int, ...]) -> Experiment:
    measures = []
    for detail, seconds in ((UNKNOWN, 0.0), (KNOWN, math.inf)):
        measures += [
            Measure(Row(table, 'ARE', detail, confusion=True), seconds),
            Measure(Row(table, f'ARE, {OTHERS}', detail), seconds, others=True),
        ]
        if corpus == emodb.CORPUS:
            measures.append(Measure(Row(ABLATION, 'the recipe', detail), seconds))
    measures += [Measure(Row(CURVE, NAMES[corpus], at=seconds), seconds) for seconds in SECONDS]
    return _are(source, f'speech, {corpus}, ARE', corpus, (corpus,), recipe, measures, seeds)


def _ablation(source: Source, name: str, recipe: Recipe, corpora: tuple[str, ...]) -> Experiment:
    measures = [Measure(Row(ABLATION, name, UNKNOWN), 0.0)]
    if recipe.person != NOBODY:
        measures.append(Measure(Row(ABLATION, name, KNOWN), math.inf))
    return _are(source, f'speech, {name}', emodb.CORPUS, corpora, recipe, measures, SEEDS[:1])


def _are(
    source: Source, name: str, corpus: str, corpora: tuple[str, ...], recipe: Recipe, measures: Sequence[Measure],
    seeds: tuple[int, ...],
) -> Experiment:
    return Experiment(
        name=name, rows=tuple(measure.row for measure in measures), folds=source.speakers(corpus), seeds=seeds,
        config={
            'trial': source.trial, 'recipe': dataclasses.asdict(recipe), 'learnt from': corpora,
            'measured': [[str(measure.seconds), measure.others] for measure in measures],
        },
        modules=_MODULES, needs=source.needs(corpora),
        run=partial(run_are, source, corpora, recipe, tuple((m.seconds, m.others) for m in measures)),
    )


def run_functionals(source: Source, corpus: str, known: bool, speaker: str, seed: int) -> list[Predictions]:
    """:param known: whether each speaker has a scale of their own."""
    learn, test = (source.spoken(part) for part in leave_out(source.clips(corpus), speaker))
    values = functionals.functionals([*learn, *test])
    if known:
        values = functionals.by_speaker(values, [s.clip.speaker for s in [*learn, *test]])
    said = functionals.probabilities(values[: len(learn)], [s.label for s in learn], values[len(learn):])
    predictions = _predictions(test, said)
    return [predictions, _unless_chosen_on(predictions, speaker)]


def run_are(
    source: Source, corpora: tuple[str, ...], recipe: Recipe, plan: tuple[tuple[float, bool], ...], speaker: str,
    seed: int,
) -> list[Predictions]:
    """
    :param plan: what is measured: seconds of the speaker heard before, and whether only of the speakers on whom nothing
        was chosen.
    """
    clips = [clip for corpus in corpora for clip in source.clips(corpus)]
    learn, test = (source.spoken(part) for part in leave_out(clips, speaker))
    learn = [replace(s, versions=s.versions[: recipe.variants + 1]) for s in learn]
    inputs = InputEncoder(audio_only(learn), Vocabulary([]), person_prior=recipe.person)
    network = teach(learn, inputs, seed, recipe=recipe)
    said: dict[float, Predictions] = {}
    for seconds, _ in plan:
        if seconds not in said:
            items = heard_after(test, inputs, seconds, seed)
            heard = [item for item in items if item is not None]
            found = np.full((len(test), len(LABELS)), 1 / len(LABELS), np.float32)  # of what cannot be used, a guess
            found[[item is not None for item in items]] = probabilities(network, heard)
            said[seconds] = _predictions(test, found)
    return [_unless_chosen_on(said[s], speaker) if others else said[s] for s, others in plan]


def heard_after(spoken: Sequence[Spoken], inputs: InputEncoder, seconds: float, seed: int) -> list[Item | None]:
    """Each of one speaker's utterances, normalised by as many seconds of others of theirs, in an order by chance."""
    recorded = [s.versions[0] for s in spoken]
    told, lengths = [inputs.told_by(features) for features in recorded], [len(f.mfcc) / 100 for f in recorded]
    generator = np.random.default_rng(seed)
    items = []
    for i, features in enumerate(recorded):
        if math.isinf(seconds):
            known = known_in_all(told, i)
        else:
            order = [*(int(k) for k in generator.permutation(len(told)) if k != i), i]
            known = known_after([told[k] for k in order], [lengths[k] for k in order], len(order) - 1, seconds)
        items.append(inputs.audio(features, known))
    return items


def _predictions(test: Sequence[Spoken], said: np.ndarray) -> Predictions:
    ids = np.array([f'{s.clip.corpus}/{s.clip.id}' for s in test])
    return Predictions(ids, np.array([s.label for s in test]), said)


def _unless_chosen_on(predictions: Predictions, speaker: str) -> Predictions:
    if not any(speaker in speakers for speakers in CHOSEN_ON.values()):
        return predictions
    return Predictions(predictions.ids[:0], predictions.labels[:0], predictions.probabilities[:0])


_KNOWN = (
    f'"{KNOWN}": normalised by all other utterances of the same speaker, without labels, as often done in the '
    f'literature; these show all emotions about equally often, as a person in front of a robot would not. '
    f'"{UNKNOWN}": nothing was heard before the utterance'
)


def _table(source: Source, corpus: str) -> Table:
    clips = source.clips(corpus)
    labels: Mapping[str, int] = Counter(clip.label for clip in clips)
    counts = ', '.join(f'{label} {labels[label]}' for label in LABELS)
    chosen = ', '.join(sorted(name.partition('-')[2] for name in CHOSEN_ON[corpus]))
    language = {emodb.CORPUS: 'German', nemo.CORPUS: 'Polish'}[corpus]
    return Table(
        title=f'Speech: {NAMES[corpus]}',
        data=f'{NAMES[corpus]}, {language}, acted: {len(clips)} utterances of {len(source.speakers(corpus))} speakers '
        f'({counts}). Every sentence is spoken in every emotion: the words tell nothing',
        protocol='leave one speaker out; the encoder learns from all others. Checked in each fold: no speaker and no '
        'recording is on both sides',
        development=f'all that had to be chosen was chosen by leaving out the speakers {chosen}. They are among those '
        f'tested; the rows "{OTHERS}" are without them. No fold has early stopping or looks at the speaker '
        'left out',
        note=_KNOWN,
    )


CURVE = Table(
    title='Speech: how long a person must be heard',
    data='as above', protocol='as above; before each utterance so many seconds of others of the same speaker were '
    "heard, in an order by chance, from which the speaker's mean and deviation are estimated, without labels",
    development='as above', axis='seconds of the speaker heard before',
)
ABLATION = Table(
    title='Speech: what of the recipe is worth how much',
    data='EMO-DB, as above', protocol='as above, with one thing changed at a time',
    development='as above', note='The changed recipes have one seed: differences of a point or two tell nothing',
)
