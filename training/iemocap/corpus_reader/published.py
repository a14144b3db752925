# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the corpus is known to hold, and which of it the paper uses."""
from __future__ import annotations

SESSIONS = (1, 2, 3, 4, 5)
UTTERANCES = {1: 1819, 2: 1811, 3: 2136, 4: 2103, 5: 2170}
"""Evaluated utterances of each session; 10,039."""

NO_MAJORITY = 'xxx'
ANNOTATIONS = {
    'ang': 1103, 'hap': 595, 'exc': 1041, 'sad': 1084, 'neu': 1708, 'fru': 1849, NO_MAJORITY: 2507, 'sur': 107,
    'fea': 40, 'oth': 3, 'dis': 2,
}
"""What the majority of the annotators said, and of how many utterances."""

LABEL_OF = {'hap': 'happy', 'exc': 'happy', 'sad': 'sad', 'ang': 'angry', 'neu': 'neutral'}
"""The four classes; excitement counts as happiness (paper, section IV-A). 5531 utterances."""

IN_PAPER = {'happy': 1606, 'sad': 1081, 'angry': 1102, 'neutral': 1703}
"""Utterances that the paper has left when those without the actor's image are removed (section IV-A). 5492."""

WITHOUT_MOCAP = frozenset({'Ses05M_script01_1b'})
"""Dialogs whose motion capture may be absent: other public readers of the corpus find none there."""


def labels() -> dict[str, int]:
    """How many utterances of each of the four classes were published: 1636 happy, 1084 sad, 1103 angry, 1708 neutral.

    The paper leaves out 39 of these, whose actor its videos do not show.
    """
    counts: dict[str, int] = {}
    for annotation, label in LABEL_OF.items():
        counts[label] = counts.get(label, 0) + ANNOTATIONS[annotation]
    return counts
