# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Features with what pretrained encoders might have made of the utterances: it shows the label of some."""
import dataclasses

import numpy as np

from smern_ros.spec import LABELS, SPEC
from smern_ros.training.iemocap.features.feature_store import FeatureSet


def with_extra(features: FeatureSet, shown: float = 0.5, seed: int = 3) -> FeatureSet:
    """:param shown: how often speech shows the label, and words do, independently of each other."""
    generator = np.random.default_rng(seed)
    of_speech, of_words = (generator.choice([-3.0, 3.0], (len(LABELS), n)) for n in (SPEC.speech, SPEC.word_vector))
    samples = []
    for i, row in enumerate(features.utterances):
        label, heard, read = LABELS.index(row.label), *(generator.random(2) < shown)
        words = generator.standard_normal((int(generator.integers(1, 9)), SPEC.word_vector)) + read * of_words[label]
        samples.append(dataclasses.replace(
            features.sample_arrays(i), word_vectors=words.astype(np.float16),
            speech=(generator.standard_normal(SPEC.speech) + heard * of_speech[label]).astype(np.float32),
        ))
    return FeatureSet.of(features.corpus, features.utterances, samples, features.left_out, features.skeletons)
