# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What jobs left behind, on disk: a file each, complete or not there at all."""
from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from smern_ros.training.benchmarks.experiment import BenchmarkJob
from smern_ros.training.common.cache import code
from smern_ros.training.iemocap.experiments.integrate import Predictions


class BenchmarkStoreError(Exception):
    """A folder or file of results that cannot be used: which, what is wrong and what to do."""


@dataclass(frozen=True, eq=False)
class Result:
    """Of one job."""

    predictions: tuple[Predictions, ...]  # one a row of the experiment
    seconds: float
    peak_bytes: int                       # of memory, of the process while it did the job


class BenchmarkStore:
    """Results in one folder. Any number of processes may write to it."""

    def __init__(self, folder: Path):
        self.folder = folder

    def path(self, job: BenchmarkJob) -> Path:
        """Of the job's file. Another configuration or other code gives another one."""
        name = re.sub('[^a-z0-9]+', '-', job.id.lower()).strip('-')
        return self.folder / f'{name}-{key(job)}.npz'

    def __contains__(self, job: BenchmarkJob) -> bool:
        return self.path(job).is_file()

    def put(self, job: BenchmarkJob, result: Result) -> None:
        """Store all or nothing, even if killed in between."""
        arrays: dict[str, Any] = {'about': np.array(json.dumps({
            'job': job.id, 'config': job.experiment.config, 'rows': [row.name for row in job.experiment.rows],
            'seconds': result.seconds, 'peak_bytes': result.peak_bytes,
        }))}
        for i, predictions in enumerate(result.predictions):
            for name in ('ids', 'labels', 'probabilities'):
                arrays[f'{name}{i}'] = getattr(predictions, name)
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = self.path(job).with_suffix(f'.{os.getpid()}.part')
        with unfinished.open('wb') as file:
            np.savez_compressed(file, **arrays)
        os.replace(unfinished, self.path(job))

    def seconds(self, job: BenchmarkJob) -> float | None:
        """What the job took; None if its file is damaged."""
        try:
            return self.get(job).seconds
        except BenchmarkStoreError:
            return None

    def get(self, job: BenchmarkJob) -> Result:
        """:raises StoreError: if the job is not done, or its file is damaged."""
        path = self.path(job)
        try:
            with np.load(path, allow_pickle=False) as arrays:
                about = json.loads(str(arrays['about']))
                return Result(
                    predictions=tuple(
                        Predictions(*(arrays[f'{name}{i}'] for name in ('ids', 'labels', 'probabilities')))
                        for i in range(len(job.experiment.rows))
                    ),
                    seconds=about['seconds'], peak_bytes=about['peak_bytes'],
                )
        except FileNotFoundError:
            raise BenchmarkStoreError(f'{job.id} is not done; there is no {path}') from None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise BenchmarkStoreError(f'{path} is damaged ({error}); remove it and run again') from None


def key(job: BenchmarkJob) -> str:
    """16 hex digits made of all that the job's predictions depend on."""
    text = json.dumps([
        job.experiment.name, job.experiment.config, job.fold, job.seed, len(job.experiment.rows),
        code(job.experiment.modules), _versions(),
    ], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def _versions() -> list[str]:
    """Of what predictions are computed with; a patch of Python changes none."""
    from importlib.metadata import version

    return [*platform.python_version_tuple()[:2], *(version(name) for name in ('torch', 'numpy', 'scikit-learn'))]
