# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether a state says what its evidence says: recomputed from the messages that a test heard beside it."""
from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np

from smern_ros.emotion.active_speaker import choose
from smern_ros.emotion.predictor import EmotionPredictor
from smern_ros.ros.messages import features_from_message, to_ns, transcript_from_message, windows_from_message
from smern_ros.spec import AUDIO, SKELETON, TEXT
from smern_ros.values import UtteranceInputs


def assert_told_by_its_evidence(evidence, predictor: EmotionPredictor) -> None:
    """Each state in it is what the networks say of features, words and movement of that very utterance and end, of
    those modalities that it names, and each utterance has one final state at most.

    :param evidence: `support.graph.Evidence`.
    :param predictor: with networks that normalise nobody by what was before.
    """
    finals = Counter(s.utterance_id for s in evidence.finals)
    assert not [u for u, count in finals.items() if count > 1], finals.most_common(3)
    for state in evidence.states:
        key = (state.utterance_id, to_ns(state.window_end))
        found = [_predictions(predictor, state, *candidates) for candidates in product(
            _of(evidence.features, key, features_from_message, AUDIO in state.modalities),
            _of(evidence.transcripts, key, transcript_from_message, TEXT in state.modalities),
            _of(evidence.windows, key, lambda w: choose(windows_from_message(w)), SKELETON in state.modalities),
        )]
        assert any(np.allclose(state.probabilities, p, rtol=0, atol=1e-3) for p in found), (
            f'{key} {list(state.modalities)}: said {list(state.probabilities)}, its evidence says {found}')


def _of(messages, key, convert, used: bool) -> list:
    """What was heard for that utterance and end, more than once if a node was started again."""
    if not used:
        return [None]
    return [convert(m) for m in messages if (m.utterance_id, to_ns(m.end)) == key]


def _predictions(predictor, state, audio, text, skeleton) -> np.ndarray:
    inputs = UtteranceInputs(state.utterance_id, to_ns(state.window_start), to_ns(state.window_end),
                             audio, text, skeleton)
    return predictor.predict(inputs).probabilities
