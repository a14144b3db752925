# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether the demo showed what it is for, and if not, what was missing, why, and what to do."""
from __future__ import annotations

from dataclasses import dataclass

from smern_ros.demo.recording import Recording
from smern_ros.spec import AUDIO, SKELETON, TEXT


@dataclass(frozen=True)
class DemoCheck:
    """`missing` holds a sentence or two for each modality that no final state had."""

    shown: bool
    text: str
    missing: tuple[str, ...] = ()


def check_demo(recording: Recording) -> DemoCheck:
    """A demo has shown what it is for when one final state had voice, words and movement."""
    if recording.complete:
        return DemoCheck(True, f'{recording.outcome}.')
    had = {m for state in recording.finals for m in (*state.modalities, *state.unfamiliar)}
    reasons = {
        AUDIO: _no_voice(recording), TEXT: _no_words(recording), SKELETON: _no_movement(recording),
    }
    if not recording.finals:
        # Without an utterance nothing else could follow; without a picture the movement is missing besides.
        missing = (reasons[AUDIO], *([] if recording.frames_with_body else [reasons[SKELETON]]))
        return DemoCheck(False, 'No utterance came to a final state.', missing)
    missing = tuple(reason for modality, reason in reasons.items() if modality not in had)
    if not missing:
        missing = ('Each modality was there, but never all three in one utterance: be in the picture while speaking.',)
    return DemoCheck(False, 'No final state had voice, words and movement together.', missing)


def _no_voice(recording: Recording) -> str:
    if not len(recording.activity):
        return 'Voice: no sound came. Does the file have a sound track, or the microphone work?'
    if not recording.utterances:
        loudest = max(frame.probability for frame in recording.activity)
        return (f'Voice: no speech was heard (the detector was at most {100 * loudest:.0f} % sure). Speak louder or '
                'nearer to the microphone, or lower audio_features.threshold.')
    return ('Voice: speech was heard, but nothing came of it in time; graph.log tells what audio_features and fusion '
            'said.')


def _no_words(recording: Recording) -> str:
    if not recording.transcripts:
        return ('Words: speech was heard, but no transcript came. Is the recogniser there (smern assets verify)? '
                'graph.log tells what asr said.')
    if not any(transcript.text.strip() for transcript in recording.transcripts.values()):
        return 'Words: none were understood. The default recogniser knows English only; asr.model takes another.'
    return ('Words: they were heard, but came too late or were none that the model knows. On a busy machine a longer '
            'fusion.text_timeout helps.')


def _no_movement(recording: Recording) -> str:
    if not recording.frames:
        return 'Movement: no picture came. Does the file have a video track, or the camera work?'
    if not recording.frames_with_body:
        return (f'Movement: nobody was found in {recording.frames} frames. The upper body of somebody must be in the '
                'picture, lit and not too far away (pose_estimation.min_extent).')
    return (f'Movement: somebody was found in {recording.frames_with_body} of {recording.frames} frames, but not while '
            'there was speech.')
