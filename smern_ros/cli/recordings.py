# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Shared by the commands that read media files: options, and the utterances of a file."""
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
    parser.add_argument('--no-asr', action='store_true', help='without words')
    parser.add_argument('--no-pose', action='store_true', help='without movement')
    parser.add_argument('--asr-model', metavar='NAME|DIR', help='see the asr node; default: the asset whisper-tiny.en')
    parser.add_argument('--asr-backend', default='faster_whisper', help='faster_whisper or transformers')
    parser.add_argument('--asr-language', default='en', metavar='CODE', help='spoken language, or auto; default: en')
    parser.add_argument('--asr-device', default='cpu', help='cpu, cuda or auto')
    parser.add_argument('--asr-compute-type', default='default', metavar='TYPE', help='see the asr node')


def recogniser(args: argparse.Namespace) -> Recogniser:
    """
    :raises smern_ros.assets.AssetError: if its model is not fetched.
    :raises ValueError: for an unknown model, language or device.
    """
    from smern_ros.speech import recogniser

    return recogniser.create(
        args.asr_backend, args.asr_model, language=args.asr_language, device=args.asr_device,
        compute_type=args.asr_compute_type,
    )


def speech_encoder(command: str) -> SpeechEncoder | None:
    """The encoder, or None with a line on standard error if its weights are not fetched."""
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
    """Yield the utterances of a media file; of one without speech, its movement.

    :param recogniser: None: no words but `text`.
    :param speech_encoder: see `smern_ros.audio.features.extract`.
    :param pose: whether to estimate poses.
    :param text: words of each utterance, instead of the recognised ones.
    :param on_problem: called if the file is damaged or cut off; its readable part is used.
    :raises smern_ros.media.reader.MediaError: if the file has no video or audio, or its audio format is unsupported.
    :raises smern_ros.assets.AssetError: if the pose estimator's model is not fetched.
    """
    from smern_ros.emotion.offline import analyse
    from smern_ros.media.reader import MediaError, MediaReader
    from smern_ros.skeleton import pose as poses

    with closing(MediaReader(file, on_problem=on_problem)) as media:
        estimator = poses.create('mediapipe') if pose and media.has_video else None
        try:
            for inputs in analyse(media, pose=estimator, recogniser=recogniser, speech_encoder=speech_encoder):
                if text is not None and inputs.utterance_id:
                    transcript = Transcript(inputs.utterance_id, inputs.start_ns, inputs.end_ns, text)
                    inputs = dataclasses.replace(inputs, text=transcript)
                yield inputs
        except ValueError as error:  # add the name of the file
            raise MediaError(f'{file}: {error}') from error
        finally:
            if estimator is not None:
                estimator.close()
