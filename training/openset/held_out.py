"""Leaving one speaker out: nobody and no recording on both sides, made certain of."""
from __future__ import annotations

import hashlib
from collections.abc import Sequence

from smern_ros.training.corpora import Clip
from smern_ros.training.splits import Split, require_disjoint


def leave_out(clips: Sequence[Clip], speaker: str) -> tuple[list[Clip], list[Clip]]:
    """The clips of all others, to learn from, and those of the speaker.

    :raises ValueError: if either would be empty, or a recording, byte by byte, is among both, whatever its name.
    """
    learn = [clip for clip in clips if clip.speaker != speaker]
    test = [clip for clip in clips if clip.speaker == speaker]
    if not learn or not test:
        speakers = sorted({clip.speaker for clip in clips})
        raise ValueError(f'{speaker} cannot be left out; there are {", ".join(speakers)}')
    parts = Split(train=learn, dev=(), test=test)
    require_disjoint(parts, lambda clip: clip.speaker)
    require_disjoint(parts, _recording)
    return learn, test


def _recording(clip: Clip) -> str:
    return hashlib.sha256(clip.path.read_bytes()).hexdigest()
