# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`smern reproduce`: the paper's tables and figures, from the features of a corpus."""
from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from smern_ros.cli.progress import RunsShown
from smern_ros.utils.paths import expand

if TYPE_CHECKING:
    from smern_ros.training.iemocap.reproduce.experiment_plan import Choice

EXIT_COMPLETE, EXIT_PROBLEMS, EXIT_CANNOT_START = 0, 1, 2


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser(
        'reproduce', help="the paper's tables and figures, trained and measured anew",
        description='Train and test the networks as the paper does, and write the tables and figures beside its own: '
        'report.html, report.md and results.json in OUT. Every run is kept in OUT/runs: an interrupted command '
        'continues where it was.',
    )
    parser.add_argument('--features', required=True, type=expand, metavar='DIR', help='made by smern features')
    parser.add_argument('--out', required=True, type=expand, metavar='OUT', help='the folder of runs and report')
    parser.add_argument(
        '--tables', type=_words, metavar='1,2,3,4,sessions',
        help='of the paper, and beside it: what networks say of speakers they do not know (default: all; none: "")',
    )
    parser.add_argument('--figures', type=_numbers, metavar='4,5', help='of the paper (default: both; none: "")')
    parser.add_argument(
        '--models', type=_words, metavar='NAME,...', help='networks to train (default: all that are needed)'
    )
    parser.add_argument('--folds', type=int, metavar='N', help="fewer for a trial (default: the paper's 5)")
    parser.add_argument('--runs', type=int, metavar='N', help="repeated experiments (default: the paper's 10)")
    parser.add_argument('--epochs', type=int, metavar='N', help='at most so many in each run (default: 100)')
    parser.add_argument(
        '--fractions', type=_shares, metavar='2,5,...',
        help="percent of two new speakers' data that is trained on in figure 5 (default: 2 to 50)",
    )
    parser.add_argument('--seed', type=int, default=0, metavar='N', help='of all that is random (default: 0)')
    parser.add_argument('--glove', type=expand, metavar='FILE', help='word vectors to begin with (default: random)')
    parser.add_argument('--device', default='cpu', help='cpu, cuda or cuda:N (default: cpu)')
    parser.add_argument(
        '--bfloat16', action=argparse.BooleanOptionalAction, default=False,
        help='train with less precision, which is faster on devices that have instructions for it (default: float32)',
    )
    parser.add_argument(
        '--extra', action=argparse.BooleanOptionalAction, default=False,
        help="a table more: the shipped checkpoint's pretrained encoders on the same folds. It is not the paper's, and "
        'changes nothing of the rest; DIR is of smern features --extra (default: without)',
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        '--jobs', type=int, default=1, metavar='N', help='runs at a time, a process and a core each (default: 1)'
    )
    where.add_argument(
        '--ray', default='', metavar='ADDRESS',
        help='on a Ray cluster whose machines all see DIR, OUT and FILE there, a run a core (with --device cuda: a run '
        'a GPU): HOST:PORT, auto or local',
    )


def run(args: argparse.Namespace) -> int:
    """:return: 0 if all runs are done, 1 if some failed, 2 if it cannot start or go on."""
    from smern_ros.training.common.jobs import WorkersError
    from smern_ros.training.iemocap.experiments.results import ExperimentStoreError
    from smern_ros.training.iemocap.experiments.run_experiments import Work, run_experiments
    from smern_ros.training.iemocap.experiments.train_network import Machine
    from smern_ros.training.iemocap.features.feature_store import FeatureError, FeatureSet
    from smern_ros.training.iemocap.reproduce import report
    from smern_ros.training.iemocap.reproduce.collect_results import Kept, collect_results
    from smern_ros.training.iemocap.reproduce.experiment_plan import plan

    shown = RunsShown()
    try:
        planned = plan(_choice(args))
        work = Work(args.features, args.out, Machine(args.device, args.bfloat16), args.glove)
        features = FeatureSet.load(args.features, memory_mapped=True)
        kept = Kept.of(planned.runs, args.out)
        shown.say(f'{len(planned.runs)} runs ({_costs(planned.costs)}), kept in {args.out / "runs"}: {kept.summary}')
        failures = run_experiments(planned.runs, work, jobs=args.jobs, ray=args.ray, report=shown)
        shown.end()
        made = collect_results(planned, work, features, failures, _command(args), kept)
        report.write(made, args.out)
    except (FeatureError, ExperimentStoreError, WorkersError, OSError, ValueError) as error:
        shown.end()
        print(f'smern reproduce: {error}', file=sys.stderr)
        return EXIT_CANNOT_START
    except KeyboardInterrupt:
        shown.end()
        print('smern reproduce: interrupted; the same command goes on from here', file=sys.stderr)
        raise
    print(f'{made.summary}\n{args.out / report.PAGE}')
    if made.failures:
        print(f'\nPROBLEMS ({len(made.failures)})', *(f'  {failure}' for failure in made.failures), sep='\n')
    return EXIT_PROBLEMS if made.failures else EXIT_COMPLETE


def _choice(args: argparse.Namespace) -> Choice:
    """What was not given is the paper's."""
    from smern_ros.training.iemocap.experiments.train_network import TrainingSettings
    from smern_ros.training.iemocap.reproduce.experiment_plan import Choice

    given = {
        'tables': args.tables, 'figures': args.figures, 'models': args.models, 'folds': args.folds,
        'repetitions': args.runs, 'fractions': args.fractions, 'seed': args.seed,
        'extra': args.extra, 'settings': None if args.epochs is None else TrainingSettings(epochs=args.epochs),
    }
    return Choice(**{name: value for name, value in given.items() if value is not None})


def _costs(costs: Mapping[str, int]) -> str:
    return ', '.join(f'{part}: {count}' for part, count in costs.items() if count)


def _command(args: argparse.Namespace) -> str:
    """That makes the same again, on another machine as well."""
    parts = ['smern', 'reproduce']
    for name, value in vars(args).items():
        if name == 'jobs' and args.ray:
            continue  # who does it is asked elsewhere
        if isinstance(value, bool):
            parts.append(f'--{name}' if value else f'--no-{name}')
        elif value is not None and value != '':
            text = ','.join(f'{100 * v:g}' if name == 'fractions' else str(v) for v in value) \
                if isinstance(value, tuple) else str(value)
            parts += [f'--{name}', text]
    return shlex.join(parts)


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in text.split(',') if word.strip()))


def _listed(convert: Callable[[str], float], wanted: str) -> Callable[[str], tuple]:
    def parse(text: str) -> tuple:
        try:
            return tuple(dict.fromkeys(convert(word) for word in _words(text)))
        except ValueError:
            raise argparse.ArgumentTypeError(f'{text!r}; expected {wanted}') from None

    return parse


_numbers = _listed(int, 'numbers with commas between, such as 1,2')
_shares = _listed(lambda word: float(word) / 100, 'percentages with commas between, such as 2,10,50')
