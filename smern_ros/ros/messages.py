# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Messages to the core's values and back. What a message says is checked here, where it enters."""
from __future__ import annotations

import array
from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point
from numpy.typing import ArrayLike
from std_msgs.msg import Header

from smern_ros import msg
from smern_ros.audio import pcm
from smern_ros.spec import JOINTS, LABELS, PROSODY, SPEC
from smern_ros.values import (
    SECOND,
    AudioFeatures,
    Prediction,
    Skeleton,
    SkeletonWindow,
    Transcript,
    Utterance,
    Word,
)

MAX_PEOPLE = 50
MAX_TEXT = 10_000
"""Characters of one transcript; nobody says more in one utterance."""
MAX_WORDS = 2_000
"""Of one transcript."""
MAX_NAME = 256
"""Characters of an id, a frame_id or a language."""
LONGEST = 120
"""s of an utterance and of a window; asr would keep all others waiting with more."""
_MFCC_RATE = 100
"""Frames of MFCC a second."""


# --- time ---------------------------------------------------------------------------------------------------------

def to_time(stamp_ns: int) -> Time:
    return Time(sec=stamp_ns // SECOND, nanosec=stamp_ns % SECOND)


def to_ns(time: Time) -> int:
    return time.sec * SECOND + time.nanosec


def stamp_of(header: Header) -> int:
    """The header's stamp in ns.

    :raises ValueError: if it was never set, or the frame_id is no name.
    """
    require_name(header.frame_id, 'header.frame_id')
    stamp_ns = to_ns(header.stamp)
    if stamp_ns <= 0:
        raise ValueError(
            f'header.stamp is {header.stamp.sec}.{header.stamp.nanosec:09d}; '
            'set it to the time at which the data was captured'
        )
    return stamp_ns


def header(stamp_ns: int, frame_id: str) -> Header:
    return Header(stamp=to_time(stamp_ns), frame_id=frame_id)


def _span(start: Time, end: Time, what: str) -> tuple[int, int]:
    start_ns, end_ns = to_ns(start), to_ns(end)
    if not 0 < start_ns < end_ns:
        raise ValueError(
            f'{what} lasts from {start_ns / SECOND:.3f} s to {end_ns / SECOND:.3f} s; the end must be after the start'
        )
    if end_ns - start_ns > LONGEST * SECOND:
        raise ValueError(f'{what} lasts {(end_ns - start_ns) / SECOND:.0f} s; the maximum is {LONGEST} s')
    return start_ns, end_ns


def require_name(name: str, what: str) -> str:
    """The name of something, such as a person_id. :raises ValueError: if it is too long to be one."""
    require_at_most(MAX_NAME, len(name), 'characters', what)
    return name


def require_at_most(most: int, count: int, things: str, what: str) -> None:
    """:raises ValueError: if `what` has more things than that."""
    if count > most:
        raise ValueError(f'{what} has {count} {things}; the maximum is {most}')


# --- arrays -------------------------------------------------------------------------------------------------------

def to_floats(values: ArrayLike) -> array.array:
    """float32[] field content; an array.array is taken as it is, an ndarray would be checked value by value."""
    floats = array.array('f')
    floats.frombytes(np.ascontiguousarray(values, np.float32).tobytes())
    return floats


def from_floats(values: Sequence[float], shape: tuple[int, ...], what: str, *, rows: int = 0) -> np.ndarray:
    """
    :param shape: wanted; -1 first: any number of rows.
    :param rows: how many of them are taken.
    :raises ValueError: if the field has another size or holds NaN or infinity.
    """
    if rows:
        require_at_most(rows * int(np.prod(shape[1:])), len(values), 'values', what)
    floats = np.asarray(values, np.float32)
    wanted = int(np.prod([n for n in shape if n >= 0]))
    if floats.size % wanted if -1 in shape else floats.size != wanted:
        raise ValueError(f'{what} has {floats.size} values; expected shape {shape}')
    if not np.isfinite(floats).all():
        raise ValueError(f'{what} holds {np.count_nonzero(~np.isfinite(floats))} values that are NaN or infinite')
    return floats.reshape(shape)


# --- skeletons ----------------------------------------------------------------------------------------------------

def skeleton_to_message(skeleton: Skeleton, message_header: Header) -> msg.Skeleton:
    return msg.Skeleton(
        header=message_header,
        person_id=skeleton.person_id,
        positions=[Point(x=x, y=y, z=z) for x, y, z in skeleton.positions.astype(float).tolist()],
        confidences=skeleton.confidences.astype(np.float32),
        score=float(skeleton.score),
        extent=float(skeleton.extent),
        image_positions=skeleton.image_positions.astype(np.float32).reshape(-1),
    )


def skeletons_to_message(skeletons: Sequence[Skeleton], message_header: Header) -> msg.SkeletonArray:
    return msg.SkeletonArray(
        header=message_header, skeletons=[skeleton_to_message(s, message_header) for s in skeletons]
    )


def is_tracker_reset(people: msg.SkeletonArray) -> bool:
    """Whether who follows everybody has just begun to, so that the person_ids of before now stand for others.

    :param people: of the topic `people`: nobody is here, and there is no time at which that was seen.
    """
    return not people.skeletons and not to_ns(people.header.stamp)


def skeletons_from_message(message: msg.SkeletonArray) -> list[Skeleton]:
    """:raises ValueError: naming the person and field that cannot be."""
    stamp_ns = stamp_of(message.header)
    require_at_most(MAX_PEOPLE, len(message.skeletons), 'skeletons', 'a frame')
    skeletons = []
    for one in message.skeletons:
        positions = np.array([(p.x, p.y, p.z) for p in one.positions], np.float32)
        if np.isinf(positions).any():
            raise ValueError(f'a position of person {one.person_id!r} is infinite; use NaN for hidden joints')
        if not require_name(one.person_id, 'a person_id'):
            raise ValueError('a skeleton has an empty person_id')
        skeletons.append(
            Skeleton(
                stamp_ns=stamp_ns,
                person_id=one.person_id,
                positions=positions,
                confidences=np.asarray(one.confidences, np.float32),
                score=one.score,
                extent=one.extent,
                image_positions=np.asarray(one.image_positions, np.float32).reshape(len(JOINTS), 2),
            )
        )
    if len({s.person_id for s in skeletons}) < len(skeletons):
        raise ValueError(f'two skeletons of one frame share a person_id: {[s.person_id for s in skeletons]}')
    return skeletons


def window_to_message(
    utterance_id: str, start_ns: int, end_ns: int, people: Sequence[SkeletonWindow], frame_id: str
) -> msg.SkeletonWindow:
    return msg.SkeletonWindow(
        header=header(end_ns, frame_id),
        utterance_id=utterance_id,
        start=to_time(start_ns),
        end=to_time(end_ns),
        rate=SPEC.skeleton_rate,
        spec=SPEC.name,
        tracks=[
            msg.SkeletonTrack(
                person_id=one.person_id,
                extent=float(one.extent),
                positions=to_floats(one.positions),
                visible=one.visible.reshape(-1).tolist(),
            )
            for one in people
        ],
    )


def windows_from_message(message: msg.SkeletonWindow) -> list[SkeletonWindow]:
    """:raises ValueError: for another feature spec, a track whose sizes do not agree, or more than anybody sends."""
    require_name(message.header.frame_id, 'header.frame_id')
    require_name(message.utterance_id, 'an utterance_id')
    start_ns, end_ns = _span(message.start, message.end, f'skeleton window of utterance {message.utterance_id!r}')
    _require_spec(message.spec, 'skeleton window')
    require_at_most(MAX_PEOPLE, len(message.tracks), 'people', 'a skeleton window')
    windows = []
    for track in message.tracks:
        what = f'positions of person {require_name(track.person_id, "a person_id")!r}'
        positions = from_floats(
            track.positions, (-1, len(JOINTS), 3), what, rows=round(LONGEST * SPEC.skeleton_rate) + 2
        )
        if len(track.visible) != positions.shape[0] * len(JOINTS):
            raise ValueError(
                f'person {track.person_id!r} has {positions.shape[0]} frames, but {len(track.visible)} visible flags'
            )
        visible = np.asarray(track.visible, bool)
        windows.append(
            SkeletonWindow(
                person_id=track.person_id,
                start_ns=start_ns,
                end_ns=end_ns,
                positions=positions,
                visible=visible.reshape(-1, len(JOINTS)),
                extent=track.extent,
            )
        )
    return windows


# --- sound --------------------------------------------------------------------------------------------------------

def sound_from_message(message: msg.AudioChunk) -> np.ndarray:
    """:return: (N, channels) float32 in -1..1.

    :raises ValueError: for a rate that cannot be, a chunk that is too long, or as `smern_ros.audio.pcm.decode`.
    """
    pcm.require_rate(message.sample_rate)
    sample = pcm.ENCODINGS.get(message.encoding)
    if sample is not None:
        each = sample.itemsize * max(message.channels, 1)
        pcm.require_short(len(message.data) // each, message.sample_rate)
    return pcm.decode(message.data, encoding=message.encoding, channels=message.channels)


# --- speech -------------------------------------------------------------------------------------------------------

def utterance_to_message(utterance: Utterance, state: int, last_voiced_ns: int, frame_id: str) -> msg.Utterance:
    """:param state: TENTATIVE, ENDED or RESUMED of the message; the last carries no audio."""
    silent = state == msg.Utterance.RESUMED
    return msg.Utterance(
        header=header(utterance.start_ns, frame_id),
        id=utterance.id,
        state=state,
        start=to_time(utterance.start_ns),
        end=to_time(utterance.end_ns),
        last_voiced=to_time(last_voiced_ns),
        sample_rate=SPEC.sample_rate,
        audio=array.array('f') if silent else to_floats(utterance.samples),
    )


def utterance_span(message: msg.Utterance) -> tuple[int, int]:
    """Start and end in ns of an utterance that is told rightly, whatever its audio.

    :raises ValueError: if it has no stamp or id, an unknown state, or an end that does not follow its start.
    """
    stamp_of(message.header)
    if not require_name(message.id, 'the id of an utterance'):
        raise ValueError('an utterance has an empty id')
    if message.state not in (msg.Utterance.TENTATIVE, msg.Utterance.ENDED, msg.Utterance.RESUMED):
        raise ValueError(f'utterance {message.id!r} has the unknown state {message.state}')
    return _span(message.start, message.end, f'utterance {message.id!r}')


def utterance_from_message(message: msg.Utterance) -> Utterance:
    """:raises ValueError: if it is not speech at the spec's rate within its own span, or as `utterance_span`."""
    start_ns, end_ns = utterance_span(message)
    if message.sample_rate != SPEC.sample_rate:
        raise ValueError(f'utterance {message.id!r} is at {message.sample_rate} Hz; expected {SPEC.sample_rate} Hz')
    if len(message.audio) > LONGEST * SPEC.sample_rate:
        raise ValueError(f'utterance {message.id!r} has {len(message.audio) / SPEC.sample_rate:.0f} s of audio; '
                         f'the maximum is {LONGEST} s')
    samples = from_floats(message.audio, (-1,), f'audio of utterance {message.id!r}')
    if message.state != msg.Utterance.RESUMED and not samples.size:
        raise ValueError(f'utterance {message.id!r} has no audio')
    return Utterance(id=message.id, start_ns=start_ns, end_ns=end_ns, samples=samples)


def features_to_message(features: AudioFeatures, frame_id: str) -> msg.AudioFeatures:
    return msg.AudioFeatures(
        header=header(features.end_ns, frame_id),
        utterance_id=features.utterance_id,
        start=to_time(features.start_ns),
        end=to_time(features.end_ns),
        spec=SPEC.name,
        mfcc=to_floats(features.mfcc),
        prosody=features.prosody.astype(np.float32),
        speech=to_floats(features.speech) if features.speech is not None else [],
    )


def features_from_message(message: msg.AudioFeatures) -> AudioFeatures:
    """:raises ValueError: for another feature spec, wrong sizes or values that are not finite."""
    what = f'audio features of utterance {require_name(message.utterance_id, "an utterance_id")!r}'
    start_ns, end_ns = _span(message.start, message.end, what)
    _require_spec(message.spec, what)
    return AudioFeatures(
        utterance_id=message.utterance_id,
        start_ns=start_ns,
        end_ns=end_ns,
        mfcc=from_floats(message.mfcc, (-1, SPEC.mfcc), f'mfcc in {what}', rows=LONGEST * _MFCC_RATE + 2),
        prosody=from_floats(message.prosody, (len(PROSODY),), f'prosody in {what}'),
        speech=from_floats(message.speech, (SPEC.speech,), f'speech in {what}') if len(message.speech) else None,
    )


def transcript_to_message(transcript: Transcript, frame_id: str, *, is_final: bool) -> msg.Transcript:
    return msg.Transcript(
        header=header(transcript.end_ns, frame_id),
        utterance_id=transcript.utterance_id,
        start=to_time(transcript.start_ns),
        end=to_time(transcript.end_ns),
        text=transcript.text,
        words=[
            msg.Word(text=w.text, start=to_time(w.start_ns), end=to_time(w.end_ns), probability=float(w.probability))
            for w in transcript.words
        ],
        confidence=float(transcript.confidence),
        language=transcript.language,
        is_final=is_final,
    )


def transcript_from_message(message: msg.Transcript) -> Transcript:
    """:raises ValueError: if text or words are more than anybody speaks, or the span cannot be."""
    what = f'transcript of utterance {require_name(message.utterance_id, "an utterance_id")!r}'
    start_ns, end_ns = _span(message.start, message.end, what)
    require_at_most(MAX_TEXT, len(message.text), 'characters', what)
    require_at_most(MAX_WORDS, len(message.words), 'words', what)
    require_at_most(2 * MAX_TEXT, sum(len(word.text) for word in message.words), 'characters in its words', what)
    require_name(message.language, f'the language of {what}')
    return Transcript(
        utterance_id=message.utterance_id,
        start_ns=start_ns,
        end_ns=end_ns,
        text=message.text,
        words=tuple(Word(w.text, to_ns(w.start), to_ns(w.end), w.probability) for w in message.words),
        confidence=message.confidence,
        language=message.language,
    )


# --- emotion ------------------------------------------------------------------------------------------------------

def prediction_to_fields(prediction: Prediction) -> dict:
    """The fields of an EmotionState that the network's answer fills."""
    if prediction.labels != LABELS:
        raise ValueError(f'model labels are {prediction.labels}; expected {LABELS}')
    return {
        'labels': list(prediction.labels),
        'probabilities': to_floats(prediction.probabilities),
        'label': prediction.label,
        'confidence': prediction.confidence,
        'modalities': list(prediction.modalities),
        'modality_weights': to_floats(prediction.weights),
        'modality_probabilities': to_floats(prediction.alone),
        'model': prediction.model,
        'unfamiliar': list(prediction.unfamiliar),
    }


def _require_spec(name: str, what: str) -> None:
    if name != SPEC.name:
        raise ValueError(f'{what} has spec {name!r}, this node uses {SPEC.name!r}; run the same version of smern_ros')
