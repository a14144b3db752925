# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A report of whatever runs of a plan are done."""
from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from smern_ros.spec import LABELS
from smern_ros.training.common.jobs import Failure
from smern_ros.training.iemocap.corpus_reader.published import IN_PAPER
from smern_ros.training.iemocap.experiments.integrate import Scores
from smern_ros.training.iemocap.experiments.protocols import FOLDS
from smern_ros.training.iemocap.experiments.results import ExperimentStore
from smern_ros.training.iemocap.experiments.run_experiments import Work
from smern_ros.training.iemocap.experiments.runs import Run
from smern_ros.training.iemocap.experiments.train_network import TrainingSettings
from smern_ros.training.iemocap.features.feature_store import FeatureSet
from smern_ros.training.iemocap.reproduce import published
from smern_ros.training.iemocap.reproduce.experiment_plan import ExperimentPlan, Runs
from smern_ros.training.iemocap.reproduce.figures import Confusion, CurvePoint
from smern_ros.training.iemocap.reproduce.report import Report
from smern_ros.training.iemocap.reproduce.tables import CellResult, t_tests, table

NEARLY_ALL = 0.95
"""Of the paper's utterances: with fewer, figures are of other data."""
MOST_FAILURES = 50
"""Listed; many runs fail for one reason."""
SEVERAL = ('Not all runs were computed on the same machine, as precisely, by the same versions: see how this was made. '
           'Rounding differs between these, so the command on one machine gives somewhat other figures.')


@dataclass(frozen=True)
class Kept:
    """What earlier commands left behind."""

    done: int           # runs of the plan: they are not done again
    of_other_code: int  # that are as runs of the plan but for the code: left alone, and done anew

    @classmethod
    def of(cls, runs: Iterable[Run], out: Path) -> Kept:
        store, runs = ExperimentStore(out), list(runs)
        return cls(sum(run in store for run in runs), len(store.of_other_code(runs)))

    @property
    def summary(self) -> str:
        others = f'; {self.of_other_code} there were made by other code and are not used' if self.of_other_code else ''
        return f'{self.done} are done already, by the code that is here{others}'


def collect_results(
    plan: ExperimentPlan,
    work: Work,
    features: FeatureSet,
    failures: Sequence[Failure[Run]],
    command: str,
    kept: Kept,
) -> Report:
    """
    :param work: where the runs are, and how they were made.
    :param features: on which they were made.
    :param failures: of runs that were tried.
    :param kept: before any was tried.
    :raises StoreError: if what a run left behind is damaged.
    """
    store = ExperimentStore(work.out)
    problems = [f'{failure.job.id}: {failure.error}' for failure in failures]
    measured = {
        name: {row: _measured(store, runs, f'table {name}, {row}', problems) for row, runs in rows.items()}
        for name, rows in plan.tables.items()
    }
    confusions = tuple(
        Confusion.of(part, runs[0].model if runs else 'not chosen', _scores(store, runs, f'figure 4, {part}', problems))
        for part, runs in plan.confusions.items()
    )
    done = [run for run in plan.runs if run in store]
    machines, versions = (Counter(of_all) for of_all in zip(*map(store.made, done), strict=True)) if done else ({}, {})
    return Report(
        summary=f'{len(done)} of {len(plan.runs)} runs are done, on {len(features)} utterances of the corpus '
        f'{features.corpus}.',
        notices=(*_notices(plan, features, work), *([SEVERAL] if max(len(machines), len(versions)) > 1 else [])),
        tables=tuple(table(name, rows) for name, rows in measured.items()),
        tests=tuple(test for name, rows in measured.items() for test in t_tests(name, rows)),
        confusions=confusions,
        points=_points(plan, store, problems) if 5 in plan.choice.figures else None,
        facts=(
            ('Command', command),
            *_data(features),
            ('Repetitions, folds, seed', f'{plan.choice.repetitions}, {plan.choice.folds}, {plan.choice.seed}'),
            ('Training', _training(plan, work)),
            ('Time in training', _duration(sum(store.metrics(run).seconds for run in done))),
            ('Runs', f'{len(done) - kept.done} done by this command; before it {kept.summary}'),
            ('Code', ', '.join(f'{model} {code}' for model, code in sorted({(run.model, run.code) for run in done}))),
            ('Machine', _each(machines)),
            ('Versions', _each(versions)),
        ),
        failures=tuple(_bounded(problems)),
    )


def _measured(store: ExperimentStore, runs: Runs, what: str, problems: list[str]) -> CellResult:
    scores = _scores(store, runs, what, problems)
    one_of_each = {run.model: run for run in reversed(runs) if run in store}
    parameters = sum(store.metrics(run).parameters for run in one_of_each.values())
    return CellResult(scores, parameters if one_of_each else None)


def _scores(store: ExperimentStore, runs: Runs, what: str, problems: list[str]) -> tuple[Scores, ...]:
    try:
        return tuple(store.scores(runs, together=True))
    except ValueError as error:  # a label in none of the test parts
        problems.append(f'{what}: {error}')
        return ()


def _points(plan: ExperimentPlan, store: ExperimentStore, problems: list[str]) -> tuple[CurvePoint, ...]:
    points = []
    for fraction, pair in plan.points.items():
        pretrained, scratch = (_scores(store, runs, f'figure 5, {100 * fraction:.0f} %', problems) for runs in pair)
        if pretrained and scratch:
            points.append(CurvePoint.of(fraction, pretrained, scratch))
        else:
            problems.append(f'figure 5, {100 * fraction:.0f} %: missing, for no experiment of it is complete')
    return tuple(points)


def _notices(plan: ExperimentPlan, features: FeatureSet, work: Work) -> Iterable[str]:
    counts = Counter(row.label for row in features.utterances)
    if features.corpus != 'iemocap':
        yield (f'These figures are of the corpus {features.corpus}, not of IEMOCAP. They show that every part works; '
               'their difference from the paper means nothing.')
    elif dict(counts) != IN_PAPER:
        yield f'The corpus has {_counted(counts)}. The paper used {_counted(IN_PAPER)}.'
        if len(features) < NEARLY_ALL * sum(IN_PAPER.values()):
            yield 'So these figures are not of all of IEMOCAP, and their difference from the paper means nothing.'
    choice = plan.choice
    if choice.folds < FOLDS or choice.repetitions < published.REPETITIONS:
        yield (f'Repetitions: {choice.repetitions}, folds of each: {choice.folds}. The paper has '
               f'{published.REPETITIONS} and {FOLDS}.')
    if choice.settings.epochs < TrainingSettings().epochs:
        yield f'Training ended after {choice.settings.epochs} epochs at the latest: too few to be near the best.'
    if choice.overrides:
        changed = ', '.join(sorted(choice.overrides))
        yield f'These networks do not have the sizes of the paper: {changed}.'
    if work.glove is None:
        yield 'Words begin with random vectors; the paper begins with GloVe (give --glove FILE).'
    yield ('Each fold holds out another fifth, of which three quarters are tested: over all folds 75 % of the '
           'utterances. The paper does not say how its five folds of 15 % were drawn.')


def _data(features: FeatureSet) -> Iterable[tuple[str, str]]:
    rows = features.utterances
    yield ('Data', f'{features.corpus}: {_counted(Counter(row.label for row in rows))}; '
                   f'{len({row.speaker for row in rows})} speakers in {len({row.session for row in rows})} sessions')
    if features.skeletons.differs:
        yield 'Skeletons', f'with {features.skeletons.differs}'
    if features.left_out:
        reasons = Counter(features.left_out.values())
        yield 'Left out', '; '.join(f'{count}: {why}' for why, count in reasons.most_common())


def _counted(counts: Mapping[str, int]) -> str:
    return f'{sum(counts.values())} utterances, ' + ', '.join(f'{counts.get(label, 0)} {label}' for label in LABELS)


def _each(runs: Mapping[str, int]) -> str:
    """:param runs: how many were made so."""
    if len(runs) < 2:
        return ''.join(runs)
    return '; '.join(f'{count} runs: {how}' for how, count in sorted(runs.items()))


def _training(plan: ExperimentPlan, work: Work) -> str:
    settings = plan.choice.settings
    words = 'random' if work.glove is None else work.glove.name
    return (f'Adam, learning rate {settings.learning_rate:g}, batches of {settings.batch}, at most {settings.epochs} '
            f'epochs, {settings.patience} without a better development loss; word vectors begin {words}')


def _bounded(problems: Sequence[str]) -> Iterable[str]:
    yield from problems[:MOST_FAILURES]
    if len(problems) > MOST_FAILURES:
        yield f'and {len(problems) - MOST_FAILURES} more'


def _duration(seconds: float) -> str:
    minutes, rest = divmod(math.ceil(seconds), 60)
    return f'{minutes // 60} h {minutes % 60} min {rest} s, all runs together, whenever they were done'
