# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the commands share that read films and sound files: options, and the utterances found in a file."""
from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from smern_ros.emotion.shipped_checkpoints import CHOICES, checkpoint_folder
from smern_ros.values import Transcript, UtteranceInputs

if TYPE_CHECKING:
    from smern_ros.media.reader import MediaError
    from smern_ros.speech.encoder import SpeechEncoder
    from smern_ros.speech.recogniser import Recogniser


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--checkpoint', type=checkpoint_folder, metavar='NAME|DIR', help=CHOICES)
    parser.add_argument('--no-asr', action='store_true', help='leave the words out')
    parser.add_argument('--no-pose', action='store_true', help='leave the movement out')
    parser.add_argument('--asr-model', metavar='NAME|DIR', help='see the asr node; default: the asset whisper-tiny.en')
    parser.add_argument('--asr-backend', default='faster_whisper', help='faster_whisper or transformers')
    parser.add_argument('--asr-language', default='en', metavar='CODE', help='of what is spoken, or auto; default: en')
    parser.add_argument('--asr-device', default='cpu', help='cpu, cuda or auto')
    parser.add_argument('--asr-compute-type', default='default', metavar='TYPE', help='see the asr node')


def recogniser(args: argparse.Namespace) -> Recogniser:
    """
    :raises smern_ros.assets.AssetError: if its model is not there.
    :raises ValueError: for a model, language or device that cannot be had.
    """
    from smern_ros.speech import recogniser

    return recogniser.create(
        args.asr_backend, args.asr_model, language=args.asr_language, device=args.asr_device,
        compute_type=args.asr_compute_type,
    )


def speech_encoder(command: str) -> SpeechEncoder | None:
    """None if its weights are not there, which is said on standard error."""
    from smern_ros.assets import AssetError
    from smern_ros.speech.encoder import SpeechEncoder

    try:
        return SpeechEncoder()
    except AssetError as error:
        print(f'smern {command}: running without the speech encoder: {error}', file=sys.stderr)
        return None


def utterances(
    file: Path, *, recogniser: Recogniser | None, speech_encoder: SpeechEncoder | None, pose: bool,
    text: str | None = None, on_problem: Callable[[MediaError], object],
) -> Iterator[UtteranceInputs]:
    """Each utterance in a film or sound file; of one without speech, its movement.

    :param recogniser: finds the words; without it there are none but `text`.
    :param speech_encoder: see `smern_ros.audio.features.extract`.
    :param pose: whether to look for bodies.
    :param text: the words of each utterance, in place of those recognised.
    :param on_problem: told of a file that is damaged or cut off; what is there is given all the same.
    :raises smern_ros.media.reader.MediaError: for a file that is no film or sound, or whose sound cannot be taken.
    :raises smern_ros.assets.AssetError: if the pose estimator's model is not there.
    """
    from smern_ros.emotion.offline import analyse
    from smern_ros.media.reader import MediaError, MediaReader
    from smern_ros.skeleton import pose as poses

    with closing(MediaReader(file, on_problem=on_problem)) as media:
        estimator = poses.create('mediapipe') if pose and media.has_video else None
        try:
            for inputs in analyse(media, pose=estimator, recogniser=recogniser, speech_encoder=speech_encoder):
                if text is not None and inputs.utterance_id:
                    said = Transcript(inputs.utterance_id, inputs.start_ns, inputs.end_ns, text)
                    inputs = dataclasses.replace(inputs, text=said)
                yield inputs
        except ValueError as error:  # what comes from deep below does not know the file
            raise MediaError(f'{file}: {error}') from error
        finally:
            if estimator is not None:
                estimator.close()
