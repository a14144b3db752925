"""The simple reference for speech: statistics of the same features through a linear support vector machine."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smern_ros.training.audio.audio_trainer import LabelledSpeech

STRENGTH = 0.003
"""C of the machine; of 0.0001 to 0.03 the best on the development speakers of both corpora together."""


def functionals(spoken: Sequence[LabelledSpeech]) -> np.ndarray:
    """(N, 113): mean and deviation of the MFCC as recorded, and the prosodic values."""
    recorded = [s.versions[0] for s in spoken]
    return np.stack([np.concatenate([f.mfcc.mean(axis=0), f.mfcc.std(axis=0), f.prosody]) for f in recorded])


def by_speaker(values: np.ndarray, speakers: Sequence[str]) -> np.ndarray:
    """Each speaker's values less their mean, in their deviations, over all of the speaker's utterances."""
    out, of = np.empty_like(values), np.array(speakers)
    for speaker in set(speakers):
        own = values[of == speaker]
        out[of == speaker] = (own - own.mean(axis=0)) / np.maximum(own.std(axis=0), 1e-6)
    return out


def probabilities(learn: np.ndarray, labels: Sequence[int], test: np.ndarray) -> np.ndarray:
    """(N, 4) float32: a softmax of distances to the planes. It ranks the labels; it is not calibrated."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    machine = make_pipeline(
        StandardScaler(), LinearSVC(C=STRENGTH, class_weight='balanced', max_iter=5000, random_state=0)
    )
    distances = machine.fit(learn, labels).decision_function(test)
    shares = np.exp(distances - distances.max(axis=1, keepdims=True))
    return (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
