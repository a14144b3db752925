# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A whole corpus to one set of features on disk: dialog by dialog, each kept, so that nothing is done twice."""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from smern_ros.training.common.jobs import JobLost, WorkersError, workers
from smern_ros.training.iemocap.corpus_reader import Corpus, Problem
from smern_ros.training.iemocap.features import feature_store
from smern_ros.training.iemocap.features.actors import PoseChoice
from smern_ros.training.iemocap.features.feature_store import AS_THE_ROBOT, FeatureSet, SkeletonChoice
from smern_ros.training.iemocap.features.unit import CORPUS, Unit, units

CACHE = 'cache'
"""Folder beside the features. It may be removed; then everything is computed anew."""
FAILED = 'its dialog could not be read'


@dataclass(frozen=True)
class ExtractionProgress:
    dialogs: int       # done by now, in this run or before
    of: int
    share: float       # of this run's work, 0..1


@dataclass(frozen=True)
class ExtractionOutcome:
    labels: Counter[str]           # utterances of each
    without: Counter[str]          # quantities: how many utterances lack them
    left_out: Counter[str]         # why: how many
    problems: tuple[Problem, ...]  # of files that could not be read; not those of the corpus's reader


def extract(
    corpus: Corpus, out: Path, *, pose: PoseChoice | None, opensmile: bool = False,
    skeletons: SkeletonChoice = AS_THE_ROBOT, extra: bool = False, jobs: int = 1, ray: str = '',
    progress: Callable[[ExtractionProgress], object] = lambda _: None,
) -> ExtractionOutcome:
    """Write the features of all utterances to `out`.

    :param pose: how actors are seen; None: features without skeletons. With it, utterances whose actor is not in view
        are left out.
    :param opensmile: sound through the paper's extractor instead of the robot's; see `smile`.
    :param skeletons: what of their movement is kept.
    :param extra: also what pretrained encoders make of it; see `speech.pretrained_state`.
    :param jobs: processes of this machine; one dialog each at a time.
    :param ray: address of a cluster, which then does the work; see `workers`.
    :raises OSError: if they cannot be written.
    :raises WorkersError: if a process dies, or there is no such cluster, or no more.
    :raises MissingOpenSmile: if it is asked for and not there.
    :raises smern_ros.assets.AssetError: if `extra` is asked for and a pretrained encoder's weights are not there.
    """
    cache = out / CACHE
    every = list(units(corpus.utterances, pose, opensmile, skeletons, extra))
    missing = [unit for unit in every if unit.found(cache) is None]
    missing.sort(key=lambda unit: -unit.size)  # so that no long one is left for the end
    work, done = sum(unit.size for unit in missing), 0
    failures: dict[str, Problem] = {}
    progress(ExtractionProgress(len(every) - len(missing), len(every), 0.0))
    by_dialog = {unit.dialog: unit for unit in missing}
    calls = {dialog: (unit, cache) for dialog, unit in by_dialog.items()}
    with workers(jobs, ray=ray if missing else '') as pool, closing(pool.map(Unit.extract, calls)) as ended:
        for count, (dialog, error) in enumerate(ended, len(every) - len(missing) + 1):
            if isinstance(error, JobLost):
                raise WorkersError(f'{dialog}: {error}; what was done is kept: run it again')
            if isinstance(error, OSError):
                raise error
            if error is not None:
                failures[dialog] = Problem(_file_of(by_dialog[dialog]), f'{dialog} is left out: {error}')
            done += by_dialog[dialog].size
            progress(ExtractionProgress(count, len(every), done / work))
    assembly = _Assembly(every, cache, failures, skeletons)
    feature_store.save(assembly.parts(), out)
    return ExtractionOutcome(assembly.labels, assembly.without, assembly.left_out, tuple(assembly.problems))


class _Assembly:
    """The features of all dialogs, one after the other, and what is told of them."""

    def __init__(self, every: Sequence[Unit], cache: Path, failures: Mapping[str, Problem], skeletons: SkeletonChoice):
        self._skeletons = skeletons
        self._every = every
        self._cache = cache
        self._failures = failures
        self.labels: Counter[str] = Counter()
        self.without: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self.problems: list[Problem] = []

    def parts(self) -> Iterator[FeatureSet]:
        yield FeatureSet.of(CORPUS, [], [], skeletons=self._skeletons)  # if there is no dialog, there is still a corpus
        for unit in self._every:
            part = self._part(unit)
            self.labels.update(row.label for row in part.utterances)
            self.without['skeleton'] += int((np.diff(part.skeleton_offsets) == 0).sum())
            self.without['motion capture'] += len(part) - len(part.mocap)
            self.left_out.update(part.left_out.values())
            yield part

    def _part(self, unit: Unit) -> FeatureSet:
        found = None if unit.dialog in self._failures else unit.found(self._cache)
        if found is not None:
            features, problems = found
            self.problems += problems
            return features
        problem = self._failures.get(unit.dialog) or Problem(_file_of(unit), 'this file or another of its dialog has '
                                                             'changed since it was read; start again')
        self.problems.append(problem)
        return FeatureSet.of(CORPUS, [], [], dict.fromkeys((u.id for u in unit.utterances), FAILED), self._skeletons)


def _file_of(unit: Unit) -> Path:
    return unit.utterances[0].video or unit.utterances[0].wav.parent
