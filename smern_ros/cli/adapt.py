# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`smern adapt`: a few labelled recordings teach the checkpoint how one person feels. Needs no ROS."""
from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from smern_ros.cli import recordings
from smern_ros.emotion.people import EVERYBODY, is_anonymous
from smern_ros.utils.paths import expand

if TYPE_CHECKING:
    from smern_ros.emotion.adaptation import Example
    from smern_ros.emotion.label_table import LabelRow
    from smern_ros.emotion.leave_one_out import AdaptationComparison, LabelledRecording
    from smern_ros.emotion.predictor import EmotionPredictor
    from smern_ros.speech.encoder import SpeechEncoder
    from smern_ros.speech.recogniser import Recogniser

EXIT_DONE, EXIT_CANNOT = 0, 2


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser(
        'adapt',
        help="learn from one person's labelled recordings",
        description='Fine-tune a checkpoint by recordings of one person of which you know what was felt, and tell what '
        'that gains, by leaving each recording out in turn. The checkpoint stays as it is. TABLE is a CSV file with '
        'the columns file and label, and text where the words are known; files are relative to its folder.',
    )
    parser.add_argument('table', type=expand, metavar='TABLE')
    parser.add_argument(
        '--out', required=True, type=expand, metavar='FILE',
        help='for smern predict --adaptation and the parameter adaptation of the fusion node; labels are added to what '
        'it holds',
    )
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument(
        '--person', metavar='ID', help="the person's person_id: nobody else's answers change; a voice whose body "
        'nobody sees, as in a sound file, has none',
    )
    whose.add_argument(
        '--everybody', dest='person', action='store_const', const=EVERYBODY,
        help='judge all people and voices so, beside labels of their own; others than this person are judged worse '
        'than before',
    )
    recordings.add_options(parser)


def run(args: argparse.Namespace) -> int:
    """:return: 0 if it was learnt and written, 2 if not; then nothing was."""
    from smern_ros.assets import AssetError
    from smern_ros.emotion import adaptation_file, label_table
    from smern_ros.emotion.adaptation import Adaptation
    from smern_ros.emotion.checkpoint import CheckpointError
    from smern_ros.emotion.predictor import EmotionPredictor
    from smern_ros.spec import SpecMismatch

    if is_anonymous(args.person):
        print('smern adapt: --person is empty, which stands for voices without a body; give an id, or --everybody',
              file=sys.stderr)
        return EXIT_CANNOT
    try:
        table = label_table.read(args.table)
        predictor = EmotionPredictor.load(args.checkpoint)
        adaptation = Adaptation(predictor.checkpoint)
        if args.out.exists() and (skipped := adaptation_file.load(adaptation, predictor.checkpoint, args.out)):
            print(f'smern adapt: {args.out}: {adaptation_file.skipped_message(skipped)}', file=sys.stderr)
        labelled, learnt = _learnt(predictor, table, args)
        _require_room((*adaptation.examples(args.person), *learnt), args)
        print('\n'.join(_report(predictor, labelled, learnt)))
        for example in learnt:
            adaptation.add(args.person, example)
        count = adaptation_file.save(adaptation, predictor.checkpoint, args.out)
        print(f'{args.out} holds {count} labelled utterances; use it with: smern predict --adaptation {args.out}')
    except (CheckpointError, SpecMismatch, AssetError, ImportError, OSError, ValueError) as error:
        for line in str(error).splitlines():
            print(f'smern adapt: {line}', file=sys.stderr)
        return EXIT_CANNOT
    return EXIT_DONE


def _require_room(examples: Sequence[Example], args: argparse.Namespace) -> None:
    """:raises ValueError: if the oldest would have to give way."""
    from smern_ros.emotion.adaptation import AdaptationSettings

    count = len({example.utterance_id for example in examples})
    if count > AdaptationSettings().examples:
        raise ValueError(
            f'{args.table} and {args.out} have {count} utterances; the maximum of a person is '
            f'{AdaptationSettings().examples}. Remove some of each emotion'
        )


def _learnt(
    predictor: EmotionPredictor, table: Sequence[LabelRow], args: argparse.Namespace
) -> tuple[list[LabelledRecording], list[Example]]:
    """All utterances of all recordings.

    :raises ValueError: with a line for each recording that cannot be used.
    """
    from smern_ros.emotion import leave_one_out

    words_wanted = not args.no_asr and any(row.text is None for row in table)
    recogniser = recordings.recogniser(args) if words_wanted else None
    speech_encoder = recordings.speech_encoder('adapt')
    labelled: list[LabelledRecording] = []
    problems: list[str] = []
    for number, row in enumerate(table, start=1):
        print(f'{number} of {len(table)}: {row.name}', file=sys.stderr, flush=True)
        found, wrong = _utterances(row, recogniser, speech_encoder, pose=not args.no_pose)
        labelled += found
        problems += wrong
    learnt = leave_one_out.examples(predictor, labelled)
    problems += [
        f'{one.recording}: no usable evidence: no voiced audio, no known word, no in-distribution skeleton'
        for one, example in zip(labelled, learnt, strict=True) if example is None
    ]
    if problems:
        raise ValueError('\n'.join(dict.fromkeys(problems)))
    return labelled, [example for example in learnt if example is not None]


def _utterances(
    row: LabelRow, recogniser: Recogniser | None, speech_encoder: SpeechEncoder | None, *, pose: bool
) -> tuple[list[LabelledRecording], list[str]]:
    """Of one recording, and what is wrong with it."""
    from smern_ros.emotion.leave_one_out import LabelledRecording
    from smern_ros.media.reader import MediaError

    damaged: list[MediaError] = []
    try:
        found = [
            LabelledRecording(row.name, row.label, inputs)
            for inputs in recordings.utterances(
                row.file, recogniser=None if row.text else recogniser, speech_encoder=speech_encoder,
                pose=pose, text=row.text, on_problem=damaged.append,
            )
            if inputs.modalities
        ]
    except MediaError as error:
        return [], [str(error)]
    if damaged:
        return [], [str(problem) for problem in damaged]
    return found, [] if found else [f'{row.name}: no speech and no person found']


def _report(
    predictor: EmotionPredictor, labelled: Sequence[LabelledRecording], learnt: Sequence[Example]
) -> Iterator[str]:
    """What was learnt, and what it is worth, line by line."""
    from smern_ros.emotion.leave_one_out import leave_one_out

    counts = ', '.join(f'{label} {n}' for label in predictor.labels if (n := sum(e.label == label for e in learnt)))
    files = len({one.recording for one in labelled})
    yield f'{len(learnt)} utterances in {files} recordings of one person: {counts}'
    if files < 2:
        yield 'What this gains cannot be told from a single recording.'
        return
    compared = leave_one_out(predictor, labelled, learnt)
    width = max(len('recording'), *(len(c.recording) for c in compared))
    yield f'{"recording":{width}}  {"label":8}  {predictor.id:>15}  adapted to the other recordings'
    for c in compared:
        said = (f'{p.label:>8} {p.confidence:6.2f}' for p in (c.before, c.after))
        yield f'{c.recording:{width}}  {c.label:8}  {"  ".join(said)}'
    yield from _figures(compared)


def _figures(compared: Sequence[AdaptationComparison]) -> Iterator[str]:
    right = [sum(getattr(c, when).label == c.label for c in compared) for when in ('before', 'after')]
    given = [
        sum(float(p.probabilities[p.labels.index(c.label)]) for c in compared for p in (getattr(c, when),))
        / len(compared) for when in ('before', 'after')
    ]
    yield f'right, of {len(compared)}: {right[0]} before, {right[1]} adapted'
    yield f'probability of what was felt: {given[0]:.2f} before, {given[1]:.2f} adapted'
    if right[1] < right[0] or given[1] < given[0]:
        yield 'By these recordings adapting does not help; check the labels, or give more of them.'
