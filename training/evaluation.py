"""What a saved checkpoint is worth on people, comments and contents that it was not made from."""
from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from smern_ros.predictor import EmotionPredictor
from smern_ros.spec import AUDIO, SKELETON, TEXT
from smern_ros.training import movement
from smern_ros.training.corpora import bandai
from smern_ros.training.encoders import DEV_WINDOW
from smern_ros.training.metrics import Figures, measure
from smern_ros.training.samples import Samples, label_of
from smern_ros.values import Transcript


def held_out(predictor: EmotionPredictor, samples: Samples) -> dict[str, Figures]:
    """Figures on the test parts, by source: the whole network with one modality alone, as a robot would use it."""
    spoken = [
        (clip, versions[0]) for clip, versions in zip(samples.speech.test, samples.features['test'], strict=True)
    ]
    shown = movement.pieces(samples.movement.test, DEV_WINDOW)
    figures = {
        f'{AUDIO}: {corpus}': alone(predictor, AUDIO, predictor.encode_audio, [f for _, f in of], [c for c, _ in of])
        for corpus in sorted({clip.corpus for clip, _ in spoken})
        if (of := [(clip, f) for clip, f in spoken if clip.corpus == corpus])
    }
    figures[f'{TEXT}: goemotions'] = alone(
        predictor, TEXT, predictor.encode_text,
        [Transcript('', 0, 0, comment.text) for comment in samples.text.test], samples.text.test,
    )
    figures[f'{SKELETON}: {bandai.CORPUS}'] = alone(
        predictor, SKELETON, predictor.encode_skeleton,
        [movement.as_captured(piece) for piece in shown], [piece.motion for piece in shown],
    )
    generator = np.random.default_rng(0)
    figures[f'{SKELETON}: {bandai.CORPUS}, as a camera sees it'] = alone(
        predictor, SKELETON, predictor.encode_skeleton,
        [movement.as_seen(piece, generator) for piece in shown], [piece.motion for piece in shown],
    )
    return figures


def alone(
    predictor: EmotionPredictor, modality: str, encode: Callable, evidence: Sequence, labelled: Sequence
) -> Figures:
    """One modality's figures; evidence of which nothing can be used counts as an even guess."""
    classes = len(predictor.labels)
    probabilities = []
    for item in evidence:
        vector = encode(item)
        probabilities.append(
            np.full(classes, 1 / classes) if vector is None else predictor.fuse({modality: vector}).probabilities
        )
    return measure(np.array([label_of(sample) for sample in labelled]), np.stack(probabilities))
