# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`smern corpus`: what a corpus on disk holds, against what was published."""
from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from smern_ros.utils.paths import expand

if TYPE_CHECKING:
    from smern_ros.training.iemocap.corpus_reader import CorpusReport, Problem

EXIT_COMPLETE, EXIT_PROBLEMS, EXIT_NO_CORPUS = 0, 1, 2
SHOWN = 20
"""Problems printed; the rest is counted and in --json."""


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser(
        'corpus', help='read a corpus and compare it with the published numbers',
        description='Read a corpus without changing anything and say what is used, what is left out and what is wrong.',
    )
    corpora = parser.add_subparsers(title='corpora', metavar='CORPUS', dest='corpus', required=True)
    iemocap = corpora.add_parser('iemocap', help='the folder IEMOCAP_full_release')
    iemocap.add_argument('root', type=expand, metavar='ROOT', help='the folder that holds Session1 to Session5')
    iemocap.add_argument('--json', action='store_true', help='print everything as JSON')
    iemocap.add_argument(
        '--subset', action='store_true', help='ROOT is a part of the corpus: other counts are no problems'
    )
    iemocap.add_argument(
        '--no-video', action='store_true',
        help='for smern features --no-video: that there are no videos, or no motion capture, is no problem',
    )


def run(args: argparse.Namespace) -> int:
    """:return: 0 if all is there, 1 if there are problems, 2 if ROOT is no IEMOCAP."""
    from smern_ros.training.iemocap import corpus_reader

    try:
        report = corpus_reader.read(args.root, subset=args.subset, seen=not args.no_video).report
    except corpus_reader.CorpusError as error:
        print(f'smern corpus: {error}', file=sys.stderr)
        return EXIT_NO_CORPUS
    if args.json:
        print(json.dumps(report.to_dict(), indent=2))
    else:
        print('\n'.join(_lines(report)))
    return EXIT_COMPLETE if report.complete else EXIT_PROBLEMS


def _lines(report: CorpusReport) -> Iterator[str]:
    yield f'IEMOCAP in {report.root}\n'
    yield from _sessions(report)
    yield ''
    yield from _annotations(report)
    if report.left_out:
        yield '\nleft out'
        for why, count in report.reasons().most_common():
            yield f'{count:>9}  {why}'
    if report.skipped:
        yield '\nskipped'
        for what, count in report.skipped.items():
            yield f'{count:>9}  {what}'
    yield from _listed('odd, but nothing is lost', report.tolerated)
    yield from _listed('PROBLEMS', report.problems)
    yield '' if report.problems else '\ncomplete: no problems'


def _sessions(report: CorpusReport) -> Iterator[str]:
    from smern_ros.spec import LABELS
    from smern_ros.training.iemocap.corpus_reader import SESSIONS, published

    yield _row('session', 'evaluated', 'published', *LABELS, 'used')
    for session in SESSIONS:
        used = [report.used.get((session, label), 0) for label in LABELS]
        yield _row(session, report.evaluated_in(session), published.UTTERANCES[session], *used, sum(used))
    used = [report.labels()[label] for label in LABELS]
    yield _row('all', sum(report.evaluated.values()), sum(published.UTTERANCES.values()), *used, sum(used))
    expected = [published.labels()[label] for label in LABELS]
    yield _row('published', '', sum(published.UTTERANCES.values()), *expected, sum(expected))


def _annotations(report: CorpusReport) -> Iterator[str]:
    from smern_ros.training.iemocap.corpus_reader import ANNOTATIONS

    found = report.annotations()
    yield f'{"emotion":<10}' + ''.join(f'{annotation:>6}' for annotation in ANNOTATIONS)
    yield f'{"evaluated":<10}' + ''.join(f'{found[annotation]:>6}' for annotation in ANNOTATIONS)
    yield f'{"published":<10}' + ''.join(f'{count:>6}' for count in ANNOTATIONS.values())


def _row(name, *values) -> str:
    return f'{name:<10}' + ''.join(f'{value:>10}' for value in values)


def _listed(title: str, problems: Iterable[Problem]) -> Iterator[str]:
    problems = list(problems)
    if problems:
        yield f'\n{title} ({len(problems)})'
        yield from (f'  {problem}' for problem in problems[:SHOWN])
    if len(problems) > SHOWN:
        yield f'  and {len(problems) - SHOWN} more; --json has them all'
