# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`smern predict`: emotions of media or audio files, one JSON line an utterance. Needs no ROS."""
from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from smern_ros.cli import recordings
from smern_ros.utils.paths import expand
from smern_ros.values import SECOND, Transcript, UtteranceInputs

if TYPE_CHECKING:
    from smern_ros.emotion.session import Session
    from smern_ros.media.reader import MediaError
    from smern_ros.speech.encoder import SpeechEncoder
    from smern_ros.speech.recogniser import Recogniser

EXIT_FAILED = 1
WORDS_ONLY_SPAN = SECOND
"""ns; words that were never spoken last nominally this long."""


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser(
        'predict',
        help='emotions of media or audio files, without ROS',
        description='Print one JSON line for each utterance found: labels, probabilities, which modalities were used '
        'and how much the answer leans on each, and which were there, but unlike all that was learnt from. '
        'A file without speech is judged by movement, one without picture by voice and words.',
    )
    parser.add_argument('files', nargs='*', type=expand, metavar='FILE', help='video or audio')
    parser.add_argument('--text', help='the words, in place of speech recognition; without a file: words alone')
    parser.add_argument(
        '--adaptation', type=expand, metavar='FILE', help='what smern adapt or the fusion node learnt of people'
    )
    recordings.add_options(parser)


def run(args: argparse.Namespace) -> int:
    """:return: 0 if every file was read, 1 if any could not be, 2 if nothing can start."""
    from smern_ros.assets import AssetError
    from smern_ros.emotion import adaptation_file
    from smern_ros.emotion.adaptation import Adaptation
    from smern_ros.emotion.checkpoint import CheckpointError
    from smern_ros.emotion.predictor import EmotionPredictor
    from smern_ros.emotion.session import Session
    from smern_ros.spec import SpecMismatch

    if not args.files and args.text is None:
        print('smern predict: name a FILE, or --text; see smern predict --help', file=sys.stderr)
        return 2
    try:
        predictor = EmotionPredictor.load(args.checkpoint)
        adaptation = Adaptation(predictor.checkpoint)
        if args.adaptation is not None:
            skipped = adaptation_file.load(adaptation, predictor.checkpoint, args.adaptation)
            if skipped:
                print(f'smern predict: {args.adaptation}: {adaptation_file.skipped_message(skipped)}', file=sys.stderr)
        if not args.files:
            print(_line(Session(predictor, adaptation), _words_only(args.text), ''), flush=True)
            return 0
        recogniser = None if args.no_asr or args.text is not None else recordings.recogniser(args)
    except (CheckpointError, SpecMismatch, AssetError, ValueError) as error:
        print(f'smern predict: {error}', file=sys.stderr)
        return 2
    speech_encoder = recordings.speech_encoder('predict')
    failed = False
    for file in args.files:
        session = Session(predictor, adaptation)  # the people of one file are not those of another
        failed |= not _predict_file(session, recogniser, speech_encoder, file, args)
    return EXIT_FAILED if failed else 0


def _predict_file(
    session: Session, recogniser: Recogniser | None, speech_encoder: SpeechEncoder | None, file: Path,
    args: argparse.Namespace,
) -> bool:
    """Prints the file's lines.

    :return: False if it could not be read to its end.
    """
    from smern_ros.assets import AssetError
    from smern_ros.media.reader import MediaError

    found = 0
    problems: list[MediaError] = []  # of a file that is damaged or cut off; what is there is judged all the same
    try:
        for inputs in recordings.utterances(
            file, recogniser=recogniser, speech_encoder=speech_encoder, pose=not args.no_pose, text=args.text,
            on_problem=problems.append,
        ):
            if inputs.modalities:
                print(_line(session, inputs, str(file)), flush=True)
                found += 1
    except (AssetError, MediaError, ImportError, ValueError) as error:
        print(f'smern predict: {error}', file=sys.stderr)
        return False
    for problem in problems:
        print(f'smern predict: {problem}', file=sys.stderr)
    if not found:
        print(f'smern predict: {file}: no speech and no person found', file=sys.stderr)
    return not problems


def _words_only(text: str) -> UtteranceInputs:
    return UtteranceInputs('', 0, WORDS_ONLY_SPAN, text=Transcript('', 0, WORDS_ONLY_SPAN, text))


def _line(session: Session, inputs: UtteranceInputs, file: str) -> str:
    from smern_ros.emotion.predictor import NoEvidence

    line = {
        'file': file,
        'utterance_id': inputs.utterance_id,
        'start': inputs.start_ns / SECOND,
        'end': inputs.end_ns / SECOND,
        'text': inputs.text.text if inputs.text else None,
        'language': inputs.text.language if inputs.text else None,
    }
    try:
        judgement = session.predict(inputs)
    except NoEvidence as error:
        return json.dumps({**line, 'error': str(error)})
    prediction = judgement.prediction
    return json.dumps({
        **line,
        'label': prediction.label,
        'confidence': round(prediction.confidence, 6),
        'labels': list(prediction.labels),
        'probabilities': [round(float(p), 6) for p in prediction.probabilities],
        'modalities': list(prediction.modalities),
        'modality_weights': [round(float(w), 6) for w in prediction.weights],
        'modality_probabilities': [[round(float(p), 6) for p in row] for row in prediction.alone],
        'person_id': judgement.person_id,
        'model': prediction.model,
        'unfamiliar': list(prediction.unfamiliar),
    })
