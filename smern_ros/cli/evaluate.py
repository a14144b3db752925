# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`smern evaluate`: what the encoders are worth on open corpora, on people and contents never learnt from."""
from __future__ import annotations

import argparse
import os
import platform
import shlex
import sys
import time
from pathlib import Path

from smern_ros.cli.progress import RunsShown
from smern_ros.utils.paths import expand

EXIT_COMPLETE, EXIT_PROBLEMS, EXIT_CANNOT_START = 0, 1, 2


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser(
        'evaluate', help='train and test the encoders on open corpora, with people and contents held out',
        description='Train and test the encoders and simple references on open corpora, with speakers and contents '
        'held out, and write results.md with tables and drawings. Everything done is kept in OUT/jobs: an interrupted '
        'command continues where it was, and only what a change of code or configuration concerns is done again.',
    )
    parser.add_argument(
        '--data', type=expand, default=os.environ.get('SMERN_SHARED_DATA', '../shared/data'), metavar='DIR',
        help='folder of the corpora (default: SMERN_SHARED_DATA, else ../shared/data)',
    )
    parser.add_argument(
        '--out', type=expand, default=Path('build/evaluate'), metavar='DIR',
        help='what is done is kept here, and features (default: build/evaluate)',
    )
    parser.add_argument('--report', type=expand, metavar='DIR', help='of results.md and results/ (default: OUT)')
    parser.add_argument('--tables', type=_words, metavar='NAME,...', help='sources of data (default: all)')
    parser.add_argument(
        '--jobs', type=int, default=1, metavar='N', help='trainings at a time, a process and a core each (default: 1)'
    )
    parser.add_argument('--trial', action='store_true', help='seconds on a little of the data: shows that all works')


def run(args: argparse.Namespace) -> int:
    """:return: 0 if all is done, 1 if something failed, 2 if it cannot start or go on."""
    from smern_ros.training.benchmarks import registry, report
    from smern_ros.training.benchmarks.collect import collect_results
    from smern_ros.training.benchmarks.result_store import BenchmarkStore, BenchmarkStoreError
    from smern_ros.training.benchmarks.run_jobs import run_jobs
    from smern_ros.training.common.jobs import JobError, WorkersError

    began = time.monotonic()
    shown = RunsShown()
    store, cache = BenchmarkStore(args.out / 'jobs'), args.out / 'cache'
    try:
        cache.mkdir(parents=True, exist_ok=True)
        experiments = registry.experiments(args.data, cache, trial=args.trial, only=args.tables)
        failures = run_jobs(experiments, store, processes=args.jobs, report=shown)
        shown.end()
        page = report.write(
            collect_results(experiments, store), args.report or args.out, _facts(args, time.monotonic() - began)
        )
    except (BenchmarkStoreError, JobError, WorkersError, OSError, ValueError) as error:
        shown.end()
        print(f'smern evaluate: {error}', file=sys.stderr)
        return EXIT_CANNOT_START
    except KeyboardInterrupt:
        shown.end()
        print('smern evaluate: interrupted; the same command goes on from here', file=sys.stderr)
        raise
    print(page)
    if failures:
        print(f'\nPROBLEMS ({len(failures)})', *(f'  {f.job.id}: {f.error}' for f in failures), sep='\n')
    return EXIT_PROBLEMS if failures else EXIT_COMPLETE


def _facts(args: argparse.Namespace, seconds: float) -> dict[str, str]:
    from importlib.metadata import version

    from smern_ros.training.iemocap.experiments.train_network import Machine

    trial = {'TRIAL': 'on a little of the data: no figure here tells anything'} if args.trial else {}
    return {
        **trial,
        'Command': f'`{_command(args)}`',
        'Machine': Machine().description(),
        'Versions': ', '.join(
            [f'Python {platform.python_version()}',
             *(f'{name} {version(name)}' for name in ('torch', 'numpy', 'scikit-learn'))]
        ),
        'Last run of the command': f'{seconds / 60:.1f} minutes; what was done before was not done again',
    }


def _command(args: argparse.Namespace) -> str:
    """That makes the same again; where the data lies is everybody's own matter."""
    parts = ['smern', 'evaluate', '--data', 'DATA']
    if args.tables is not None:
        parts += ['--tables', ','.join(args.tables)]
    parts += ['--jobs', str(args.jobs)]
    return shlex.join([*parts, '--trial'] if args.trial else parts)


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in text.split(',') if word.strip()))
