"""Motion capture of an utterance in the shape that the MoCap network [49] takes."""
from __future__ import annotations

import numpy as np

from smern_ros.training.iemocap.corpus_reader.mocap import VALUES, MocapRecording
from smern_ros.training.iemocap.features.store import MOCAP_SHAPE


def features(recording: MocapRecording, start_ns: int, end_ns: int) -> np.ndarray | None:
    """The mean of each of 200 equal parts of the utterance, as [49] does.

    A part without a frame, or in which a marker was lost, is interpolated from those around it.

    :return: (200, 189) float32, NaN for a value that was never seen; None if there is no frame.
    """
    first = np.searchsorted(recording.times_ns, start_ns, 'left')
    last = np.searchsorted(recording.times_ns, end_ns, 'right')
    if first == last:
        return None
    times, values = recording.times_ns[first:last], recording.values[first:last].astype(np.float64)
    count = MOCAP_SHAPE[0]
    part = np.minimum((times - start_ns) * count // max(end_ns - start_ns, 1), count - 1)
    seen = np.isfinite(values)
    frames, sums = np.zeros((count, VALUES)), np.zeros((count, VALUES))
    np.add.at(frames, part, seen)
    np.add.at(sums, part, np.where(seen, values, 0))
    out = np.full(MOCAP_SHAPE, np.nan, np.float32)
    everywhere = np.arange(count)
    for channel in np.flatnonzero(frames.any(axis=0)):
        known = np.flatnonzero(frames[:, channel])
        out[:, channel] = np.interp(everywhere, known, sums[known, channel] / frames[known, channel])
    return out
