# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Formats messages of the graph as lines of text."""
from __future__ import annotations

from smern_ros.demo.recording import Kind, Recording, StateRecord
from smern_ros.spec import MODALITIES
from smern_ros.values import Transcript

_BLOCKS = '▁▂▃▄▅▆▇█'
_NAMES = {Kind.FINAL: 'FINAL', Kind.PROVISIONAL: 'provisional', Kind.GESTURE: 'gesture'}
_BOLD, _DIM, _PLAIN = '\x1b[1m', '\x1b[2m', '\x1b[0m'
HEADER = f'{"time":>8}  {"state":<11}  {"label":<14}  {"each label in percent":<44}  weight of each modality in percent'


def format_state(state: StateRecord, recording: Recording, *, colour: bool = False) -> str:
    """Time in the media, kind, label, probabilities, weights of the modalities and latency of a state."""
    probabilities = '  '.join(
        f'{label} {_block(p)} {100 * p:2.0f}' for label, p in zip(state.labels, state.probabilities, strict=True)
    )
    weights = dict(zip(state.modalities, state.weights, strict=True))
    weighed = ' '.join(f'{m} {100 * weights[m]:3.0f}' if m in weights else f'{m}   –' for m in MODALITIES)
    text = (
        f'{recording.seconds(state.stamp_ns):6.1f} s  {_NAMES[state.kind]:<11}  {state.label:<8}'
        f'{100 * state.confidence:4.0f} %  {probabilities:<44}  {weighed}  {1e3 * state.latency:5.0f} ms'
        f'{"".join(f"  {m} unlike what was learnt" for m in state.unfamiliar)}'
    )
    if not colour or state.kind is Kind.PROVISIONAL:
        return text
    return f'{_BOLD if state.kind is Kind.FINAL else _DIM}{text}{_PLAIN}'


def format_transcript(transcript: Transcript, recording: Recording) -> str:
    """Words of an utterance, on a line of their own: messages of different topics have no order."""
    text = _printable(transcript.text.strip())
    words = f'“{text}”' if text else 'none recognised'
    return f'{recording.seconds(transcript.end_ns):6.1f} s  {"words":<11}  {words}'


def _block(probability: float) -> str:
    return _BLOCKS[min(int(probability * len(_BLOCKS)), len(_BLOCKS) - 1)]


def _printable(text: str) -> str:
    """The text without control characters, which could control the terminal."""
    return ''.join(c if c.isprintable() else ' ' for c in text)
