# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`smern features`: sound, movement and motion capture of a corpus, as the networks take them."""
from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from smern_ros.cli.progress import StatusLine, time_left
from smern_ros.utils.paths import expand

if TYPE_CHECKING:
    from smern_ros.training.iemocap.corpus_reader import Corpus
    from smern_ros.training.iemocap.features.actors import PoseChoice
    from smern_ros.training.iemocap.features.extract import ExtractionOutcome, ExtractionProgress

EXIT_COMPLETE, EXIT_PROBLEMS, EXIT_CANNOT_START = 0, 1, 2
SHOWN = 20
"""Problems printed."""
KEPT = 'what was done is kept: the same command goes on from there'


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser(
        'features', help='compute the features of a corpus, to train on',
        description='Compute MFCC, prosody, skeletons and motion capture of every utterance. What was done is kept in '
        'OUT/cache: an interrupted run continues where it was.',
    )
    parser.add_argument('--corpus', required=True, choices=['iemocap'])
    parser.add_argument('root', type=expand, metavar='ROOT', help='the folder IEMOCAP_full_release')
    parser.add_argument('--out', required=True, type=expand, metavar='DIR', help='the folder of the features')
    parser.add_argument(
        '--subset', action='store_true', help='ROOT is a part of the corpus: other counts are no problems'
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        '--jobs', type=_at_least_one, default=os.cpu_count() or 1, metavar='N',
        help='processes, each with a dialog at a time (default: %(default)s, the cores of this machine)',
    )
    where.add_argument(
        '--ray', default='', metavar='ADDRESS',
        help='on a Ray cluster whose machines all see ROOT and OUT there: HOST:PORT, auto or local',
    )
    parser.add_argument(
        '--opensmile', action='store_true',
        help="MFCC, F0 and voicing by openSMILE, the paper's extractor, where it is installed (default: as the robot)",
    )
    parser.add_argument(
        '--extra', action='store_true',
        help='also what the pretrained encoders of speech and of sentences make of it, for smern reproduce --extra: '
        'changes nothing of the rest; needs smern assets fetch whisper-tiny.en minilm-l6-int8',
    )
    parser.add_argument(
        '--raw-skeleton', action='store_true',
        help="positions as the estimator gives them, the paper's input (default: without place, size and heading)",
    )
    parser.add_argument(
        '--filter', choices=['zero-phase', 'causal'], default='zero-phase',
        help='the low-pass forwards and backwards, as the robot does, or forwards alone (default: %(default)s)',
    )
    see = parser.add_mutually_exclusive_group()
    see.add_argument(
        '--mmpose', nargs=2, type=expand, metavar=('POSE.pth', 'LIFTER.pth'),
        help='skeletons by mmpose with these weights of RTMPose-m and video-pose-lift (default: MediaPipe)',
    )
    see.add_argument('--no-video', action='store_true',
                     help='no skeletons: videos are not looked for, nobody is left out for not being in view')


def run(args: argparse.Namespace) -> int:
    """:return: 0 if all was read, 1 if there were problems, 2 if it cannot start or go on."""
    from smern_ros.assets import AssetError
    from smern_ros.skeleton.pose import MissingLibrary
    from smern_ros.training.common.jobs import WorkersError
    from smern_ros.training.iemocap import corpus_reader
    from smern_ros.training.iemocap.features import speech
    from smern_ros.training.iemocap.features.extract import extract
    from smern_ros.training.iemocap.features.feature_store import SkeletonChoice
    from smern_ros.training.iemocap.features.smile import MissingOpenSmile

    shown = _Shown()
    pose, skeletons = _pose(args), SkeletonChoice(args.raw_skeleton, args.filter)
    try:
        if pose is None and skeletons.differs:
            raise ValueError(f'skeletons with {skeletons.differs} need the videos; leave out --no-video')
        corpus = corpus_reader.read(args.root.absolute(), subset=args.subset, seen=not args.no_video)
        if pose is not None:
            pose.create().close()  # what is missing is told now, not by each process
        if args.extra:
            speech.pretrained_state()
    except (corpus_reader.CorpusError, AssetError, MissingLibrary, ValueError) as error:
        print(f'smern features: {error}', file=sys.stderr)
        return EXIT_CANNOT_START
    try:
        outcome = extract(
            corpus, args.out.absolute(), pose=pose, opensmile=args.opensmile, jobs=args.jobs, ray=args.ray,
            skeletons=skeletons, extra=args.extra, progress=shown,
        )
    except (MissingOpenSmile, WorkersError) as error:
        shown.end()
        print(f'smern features: {error}', file=sys.stderr)
        return EXIT_CANNOT_START
    except OSError as error:
        shown.end()
        print(f'smern features: {args.out} cannot be written ({error}); {KEPT}', file=sys.stderr)
        return EXIT_CANNOT_START
    except KeyboardInterrupt:
        shown.end()
        print(f'smern features: interrupted; {KEPT}', file=sys.stderr)
        raise
    shown.end()
    print('\n'.join(_lines(args.out, corpus, outcome)))
    return EXIT_PROBLEMS if corpus.report.problems or outcome.problems else EXIT_COMPLETE


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'{text} processes; expected a whole number from 1')
    return int(text)


def _pose(args: argparse.Namespace) -> PoseChoice | None:
    from smern_ros.training.iemocap.features.actors import PoseChoice

    if args.no_video:
        return None
    if args.mmpose:
        pose_weights, lifter_weights = (str(path.absolute()) for path in args.mmpose)
        return PoseChoice('mmpose', (('pose_weights', pose_weights), ('lifter_weights', lifter_weights)))
    return PoseChoice()


def _lines(out: Path, corpus: Corpus, outcome: ExtractionOutcome) -> Iterator[str]:
    from smern_ros.spec import LABELS
    from smern_ros.training.iemocap.corpus_reader.published import IN_PAPER

    yield f'{outcome.labels.total()} utterances in {out}\n'
    yield ' ' * 11 + ''.join(f'{label:>10}' for label in (*LABELS, 'all'))
    for name, counts in (('here', outcome.labels), ('the paper', IN_PAPER)):
        numbers = [counts[label] for label in LABELS]
        yield f'{name:<11}' + ''.join(f'{number:>10}' for number in (*numbers, sum(numbers)))
    yield ''
    for what, count in outcome.without.items():
        if count:
            yield f'{count:>9}  have no {what}'
    left_out = corpus.report.reasons() + outcome.left_out
    if left_out:
        yield 'left out'
        yield from (f'{count:>9}  {why}' for why, count in left_out.most_common())
    problems = [*corpus.report.problems, *outcome.problems]
    if problems:
        yield f'\nPROBLEMS ({len(problems)})'
        yield from (f'  {problem}' for problem in problems[:SHOWN])
    if len(problems) > SHOWN:
        yield f'  and {len(problems) - SHOWN} more'
    yield '' if problems else '\ncomplete: no problems'


class _Shown(StatusLine):
    def __init__(self) -> None:
        super().__init__()
        self._began = time.monotonic()

    def __call__(self, progress: ExtractionProgress) -> None:
        share = progress.share
        left = time_left((time.monotonic() - self._began) * (1 - share) / share) if 0 < share < 1 else ''
        self.show(f'{progress.dialogs} of {progress.of} dialogs{left}')
