# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Checks that a final state has all modalities; else names the missing ones, the cause and the remedy."""
from __future__ import annotations

from dataclasses import dataclass

from smern_ros.demo.recording import Recording
from smern_ros.spec import AUDIO, SKELETON, TEXT


@dataclass(frozen=True)
class DemoCheck:
    """Result of the check. `missing` has a text for each modality that no final state has."""

    shown: bool
    text: str
    missing: tuple[str, ...] = ()


def check_demo(recording: Recording) -> DemoCheck:
    """The demo succeeds if a final state has voice, words and movement."""
    if recording.complete:
        return DemoCheck(True, f'{recording.outcome}.')
    had = {m for state in recording.finals for m in (*state.modalities, *state.unfamiliar)}
    reasons = {
        AUDIO: _no_voice(recording), TEXT: _no_words(recording), SKELETON: _no_movement(recording),
    }
    if not recording.finals:
        # Without utterances only voice and movement can be reported.
        missing = (reasons[AUDIO], *([] if recording.frames_with_body else [reasons[SKELETON]]))
        return DemoCheck(False, 'No utterance has a final state.', missing)
    missing = tuple(reason for modality, reason in reasons.items() if modality not in had)
    if not missing:
        missing = ('Each modality was used, but never all three in one utterance: stay in the picture while speaking.',)
    return DemoCheck(False, 'No final state had voice, words and movement together.', missing)


def _no_voice(recording: Recording) -> str:
    if not len(recording.activity):
        return 'Voice: no audio was received. Does the file have an audio track, or the microphone work?'
    if not recording.utterances:
        loudest = max(frame.probability for frame in recording.activity)
        return (f'Voice: no speech was detected (highest probability {100 * loudest:.0f} %). Speak louder or '
                'nearer to the microphone, or lower audio_features.threshold.')
    return ('Voice: speech was detected, but no features arrived in time; see audio_features and fusion in graph.log.')


def _no_words(recording: Recording) -> str:
    if not recording.transcripts:
        return ('Words: speech was detected, but no transcript was received. Is the recogniser fetched (smern assets '
                'verify)? See asr in graph.log.')
    if not any(transcript.text.strip() for transcript in recording.transcripts.values()):
        return 'Words: none were recognised. The default recogniser supports English only; asr.model selects another.'
    return ('Words: they were recognised, but too late, or are unknown to the model. On a busy machine increase '
            'fusion.text_timeout.')


def _no_movement(recording: Recording) -> str:
    if not recording.frames:
        return 'Movement: no image was received. Does the file have a video track, or the camera work?'
    if not recording.frames_with_body:
        return (f'Movement: nobody was found in {recording.frames} frames. An upper body must be in the picture, lit '
                'and not too far away (pose_estimation.min_extent).')
    return (f'Movement: a person was found in {recording.frames_with_body} of {recording.frames} frames, but not '
            'during speech.')
