# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What runs left behind, on disk: a folder each, complete or not there at all."""
from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import platform
import shutil
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from smern_ros.spec import LABELS
from smern_ros.training.iemocap.experiments.integrate import Predictions, Scores, score
from smern_ros.training.iemocap.experiments.network_samples import Preparation
from smern_ros.training.iemocap.experiments.runs import Run, RunOutcome, Start
from smern_ros.training.iemocap.features.feature_store import EXTRA, FeatureSet, SkeletonChoice

CONFIG, METRICS, PREDICTIONS = 'config.json', 'metrics.json', 'predictions.npz'
INPUTS, WEIGHTS = 'inputs.json', 'model.safetensors'
_DATA = 'data.json'


class ExperimentStoreError(Exception):
    """A folder of results that cannot be used: which, what is wrong and what to do."""


@dataclass(frozen=True)
class Metrics:
    """Of one run; its figures are of its test part alone. Tables are of `Store.scores`."""

    scores: Scores | None                # None if a label occurs in no utterance of this part
    train_loss: tuple[float, ...]        # of each epoch
    dev_loss: tuple[float, ...]
    dev_uar: tuple[float, ...]
    parameters: int
    counts: tuple[int, int, int]         # utterances learnt from, developed on, tested
    without: int                         # utterances of the fold that lack something the network needs
    seconds: float


class ExperimentStore:
    """Results of runs on one corpus, in `folder`/runs. Any number of processes may write to it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.runs = folder / 'runs'

    def claim(self, features: FeatureSet, **sources: str) -> None:
        """Make the folder, for these features alone.

        :param sources: what else results depend on, such as the digest of the word vectors.
        :raises StoreError: if it holds results of others, or cannot be written.
        """
        data = {
            'corpus': features.corpus, 'utterances': len(features), 'features': digest(features),
            **({'skeletons': dataclasses.asdict(features.skeletons)} if features.skeletons.differs else {}),
            **({'extra': digest(features, extra=True)} if features.has_extra else {}), **sources,
        }
        path = self.folder / _DATA
        try:
            self.runs.mkdir(parents=True, exist_ok=True)
            held: Any = None
            if path.exists():
                held = json.loads(path.read_text(encoding='utf-8'))
                if not isinstance(held, dict):
                    raise ValueError(f'{path} is no JSON object')
                # The extra concerns no other run: it may come later, and be missing another time.
                data = {**{k: v for k, v in held.items() if k == 'extra'}, **data}
                compared = {k: v for k, v in data.items() if k != 'extra' or k in held}
                if held != compared:
                    different = ', '.join(k for k in sorted({*held, *compared}) if held.get(k) != compared.get(k))
                    raise ExperimentStoreError(
                        f'{self.folder} holds results of other data (different: {different}); give another folder'
                    )
            if held != data:
                unfinished = path.with_suffix(f'.{os.getpid()}.part')
                unfinished.write_text(json.dumps(data, indent=1), encoding='utf-8')
                os.replace(unfinished, path)
        except (OSError, ValueError) as error:
            raise ExperimentStoreError(f'{self.folder} cannot hold results ({error}); give another folder') from None

    def data(self) -> dict[str, Any]:
        """What `claim` wrote: corpus, utterances, digest of the features and other sources.

        :raises StoreError: if nothing was claimed, or it is damaged.
        """
        try:
            held = json.loads((self.folder / _DATA).read_text(encoding='utf-8'))
            SkeletonChoice(**held.get('skeletons', {}))
            return {**held, 'corpus': str(held['corpus']), 'utterances': int(held['utterances'])}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ExperimentStoreError(
                f'{self.folder / _DATA} cannot be read ({error}); it tells of which data the runs are: copy it again'
            ) from None

    def __contains__(self, run: Run) -> bool:
        return (self.runs / run.id).is_dir()

    def of_other_code(self, runs: Iterable[Run]) -> list[Run]:
        """Those here that are as one of these but for the code that made them."""
        wanted = {dataclasses.replace(run, code=None): run for run in runs}
        found = []
        for path in sorted(self.runs.glob(f'*/{CONFIG}')):
            try:
                run = Run.from_dict(json.loads(path.read_text(encoding='utf-8'))['run'])
            except (OSError, ValueError, KeyError, TypeError):
                continue  # who reads its results will be told
            same = wanted.get(dataclasses.replace(run, code=None))
            if same is not None and same.code != run.code:
                found.append(run)
        return found

    def put(self, run: Run, outcome: RunOutcome, *, machine: str) -> None:
        """Store all or nothing, even if killed in between.

        :param machine: on which it was computed, and how precisely.
        """
        from safetensors.torch import save_file

        unfinished = self.runs / f'.{run.id}.{uuid.uuid4().hex}'
        unfinished.mkdir()
        made = {'run': run.to_dict(), 'versions': versions(), 'machine': machine}
        (unfinished / CONFIG).write_text(json.dumps(made, indent=1))
        (unfinished / METRICS).write_text(json.dumps(dataclasses.asdict(_metrics(outcome)), indent=1))
        predictions = outcome.predictions
        np.savez(
            unfinished / PREDICTIONS,
            ids=predictions.ids, labels=predictions.labels, probabilities=predictions.probabilities,
        )
        outcome.preparation.write(unfinished / INPUTS)
        save_file({k: v.contiguous() for k, v in outcome.network.state_dict().items()}, unfinished / WEIGHTS)
        try:
            os.rename(unfinished, self.runs / run.id)
        except OSError:
            if run not in self:  # else another process was as fast, with the same results
                raise
        for left_behind in self.runs.glob(f'.{run.id}.*'):
            shutil.rmtree(left_behind, ignore_errors=True)

    def metrics(self, run: Run) -> Metrics:
        """:raises StoreError: if the run is not done, or its folder is damaged."""
        stored = self._json(run, METRICS)
        try:
            scores = stored['scores']
            losses: dict[str, Any] = {
                name: tuple(map(float, stored[name])) for name in ('train_loss', 'dev_loss', 'dev_uar')
            }
            learnt, developed, tested = map(int, stored['counts'])
            return Metrics(
                scores=None if scores is None else _scores(scores), **losses, parameters=int(stored['parameters']),
                counts=(learnt, developed, tested), without=int(stored['without']), seconds=float(stored['seconds']),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._damaged(run, METRICS, error) from None

    def seconds(self, run: Run) -> float | None:
        """What the run took; None if its folder is damaged."""
        try:
            return self.metrics(run).seconds
        except ExperimentStoreError:
            return None

    def made(self, run: Run) -> tuple[str, str]:
        """The machine that the run was computed on, and the versions that it was computed by, each in a line.

        :raises StoreError: if the run is not done, or its folder is damaged.
        """
        stored = self._json(run, CONFIG)
        try:
            versions = ', '.join(f'{name} {version}' for name, version in stored['versions'].items())
            return str(stored.get('machine', 'not stored')), versions
        except (KeyError, TypeError, AttributeError) as error:
            raise self._damaged(run, CONFIG, error) from None

    def predictions(self, run: Run) -> Predictions:
        """:raises StoreError: if the run is not done, or its folder is damaged."""
        import zipfile

        self._require(run)
        try:
            with np.load(self.runs / run.id / PREDICTIONS, allow_pickle=False) as arrays:
                found = Predictions(arrays['ids'], arrays['labels'], arrays['probabilities'])
            _check(found)
            return found
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise self._damaged(run, PREDICTIONS, error) from None

    def start(self, run: Run) -> Start:
        """The run's network, to go on with. :raises StoreError: if the run is not done, or its folder is damaged."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        self._require(run)
        try:
            return Start(Preparation.read(self.runs / run.id / INPUTS), load_file(self.runs / run.id / WEIGHTS))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
            raise self._damaged(run, f'{INPUTS} or {WEIGHTS}', error) from None

    def scores(self, runs: Iterable[Run], *, together: bool = False) -> list[Scores]:
        """Of one experiment: of each repetition the scores of all its folds' predictions together.

        Repetitions are in order; one of which a fold is not done is left out.

        :param together: of several experiments on the same folds: what their networks say together.
        :raises ValueError: if the runs are not of one experiment and not `together`.
        """
        runs = list(runs)
        if len({run.experiment.id for run in runs}) > 1 and not together:
            raise ValueError('these runs differ in more than fold and repetition; give those of one experiment')
        repetitions: dict[int, list[Run]] = defaultdict(list)
        for run in runs:
            repetitions[run.repetition].append(run)
        return [
            score(Predictions.integrated([
                Predictions.together([self.predictions(run) for run in folds if run.fold == fold])
                for fold in dict.fromkeys(run.fold for run in folds)
            ]))
            for _, folds in sorted(repetitions.items()) if all(run in self for run in folds)
        ]

    def _require(self, run: Run) -> None:
        if run not in self:
            raise ExperimentStoreError(f'{run.id} is not done; there is no {self.runs / run.id}')

    def _json(self, run: Run, name: str) -> dict[str, Any]:
        self._require(run)
        try:
            return json.loads((self.runs / run.id / name).read_text(encoding='utf-8'))
        except (OSError, ValueError) as error:
            raise self._damaged(run, name, error) from None

    def _damaged(self, run: Run, name: str, error: Exception) -> ExperimentStoreError:
        return ExperimentStoreError(
            f'{self.runs / run.id / name} is damaged ({error}); remove its folder and run again'
        )


def digest(features: FeatureSet, *, extra: bool = False) -> str:
    """The same for the same features, labels and words.

    :param extra: of what pretrained encoders made; False: of all else.
    """
    state = hashlib.blake2b(digest_size=16)
    state.update(json.dumps([dataclasses.asdict(row) for row in features.utterances]).encode())
    for item in dataclasses.fields(features):
        values = getattr(features, item.name)
        if isinstance(values, np.ndarray) and (item.name in EXTRA) == extra:
            for start in range(0, len(values), 4096):  # it may lie on disk
                state.update(np.ascontiguousarray(values[start : start + 4096]).data.cast('B'))
    return state.hexdigest()


def versions() -> dict[str, str]:
    """Of what results may depend on."""
    from importlib.metadata import version

    packages = ('smern_ros', 'torch', 'numpy', 'scipy')
    return {'python': platform.python_version(), **{name: version(name) for name in packages}}


def _scores(stored: dict[str, Any]) -> Scores:
    figures: dict[str, Any] = {name: float(stored[name]) for name in ('wap', 'uar', 'war')}
    return Scores(
        count=int(stored['count']), **figures, confusion=tuple(tuple(map(int, row)) for row in stored['confusion'])
    )


def _check(predictions: Predictions) -> None:
    """:raises ValueError: if these are no predictions of the emotions."""
    ids, labels, probabilities = predictions.ids, predictions.labels, predictions.probabilities
    if ids.ndim != 1 or labels.shape != ids.shape or probabilities.shape != (len(ids), len(LABELS)):
        raise ValueError(f'{ids.shape} ids, {labels.shape} labels and {probabilities.shape} probabilities')
    if labels.dtype.kind not in 'iu' or not ((labels >= 0) & (labels < len(LABELS))).all():
        raise ValueError(f'a label is none of 0 to {len(LABELS) - 1}')
    if probabilities.dtype.kind != 'f' or not np.isfinite(probabilities).all():
        raise ValueError('a probability is no number')


def _metrics(outcome: RunOutcome) -> Metrics:
    complete = len(set(outcome.predictions.labels.tolist())) == len(LABELS)
    return Metrics(
        scores=score(outcome.predictions) if complete else None,
        train_loss=tuple(epoch.train_loss for epoch in outcome.history),
        dev_loss=tuple(epoch.dev_loss for epoch in outcome.history),
        dev_uar=tuple(epoch.dev_uar for epoch in outcome.history),
        parameters=outcome.parameters, counts=outcome.counts, without=outcome.without, seconds=outcome.seconds,
    )
