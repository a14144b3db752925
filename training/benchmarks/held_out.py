"""Leaving one speaker or one corpus out: nobody and no recording on both sides, made certain of."""
from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from smern_ros.training.common.splits import Split, require_disjoint
from smern_ros.training.corpora import Clip


def leave_out(clips: Sequence[Clip], who: str) -> tuple[list[Clip], list[Clip]]:
    """The clips of all others, to learn from, and those left out.

    :param who: a speaker, or a corpus: all of its speakers.
    :raises ValueError: if either would be empty, or a recording, byte by byte, is among both, whatever its name.
    """
    learn, test = ([clip for clip in clips if (who in (clip.speaker, clip.corpus)) == out] for out in (False, True))
    if not learn or not test:
        names = sorted({clip.speaker for clip in clips} | {clip.corpus for clip in clips})
        raise ValueError(f'{who} cannot be left out; there are {", ".join(names)}')
    parts = Split(train=learn, dev=(), test=test)
    require_disjoint(parts, lambda clip: clip.speaker)
    require_disjoint(parts, lambda clip: _recording(clip.path))
    return learn, test


@cache
def _recording(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
