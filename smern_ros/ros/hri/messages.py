# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Conversions to and from the messages of ROS4HRI, an optional package."""
from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from std_msgs.msg import Header

from smern_ros import msg
from smern_ros.hri import mapping
from smern_ros.hri.transcripts import RecognizedText
from smern_ros.ros import optional_messages
from smern_ros.ros.messages import MAX_TEXT, require_at_most, require_name, to_ns
from smern_ros.values import Skeleton, language_code

FIELDS = {
    'Expression': ('header', 'expression', 'valence', 'arousal', 'confidence'),
    'IdsList': ('header', 'ids'),
    'LiveSpeech': ('header', 'final', 'confidence'),
    'NormalizedPointOfInterest2D': ('x', 'y', 'c'),
    'Skeleton2D': ('header', 'skeleton'),
}


class HriMessages:
    """Types and conversions."""

    def __init__(self) -> None:
        """:raises ConfigurationError: if hri_msgs is not installed, or not that of ROS4HRI."""
        found = optional_messages.messages(
            'hri_msgs', FIELDS, maker='ROS4HRI', others='Vulcanexus (eProsima agile-hri)',
            install='build github.com/ros4hri/hri_msgs with colcon, or install ros-$ROS_DISTRO-hri-msgs if apt has it '
                    '(for Kilted it has not); source it, and start ros4hri_bridge again',
        )
        self.Expression, self.IdsList, self.LiveSpeech = found.Expression, found.IdsList, found.LiveSpeech
        self.Skeleton2D, self._Point = found.Skeleton2D, found.NormalizedPointOfInterest2D

    def ids(self, ids: Iterable[str], header: Header) -> Any:
        return self.IdsList(header=header, ids=list(ids))

    def expression(self, state: msg.EmotionState) -> Any:
        """:raises ValueError: for a label that ROS4HRI has no word for."""
        return self.Expression(
            header=state.header, expression=mapping.expression(state.label), confidence=state.confidence,
            valence=math.nan, arousal=math.nan,  # we judge neither, and 0 would be a judgement
        )

    def skeleton(self, skeleton: Skeleton, width: int, height: int, header: Header) -> Any:
        points = mapping.points(skeleton, width, height)
        return self.Skeleton2D(
            header=header, skeleton=[self._Point(x=x, y=y, c=c) for x, y, c in points.astype(float).tolist()]
        )

    @staticmethod
    def recognized_text(speech: Any, now_ns: int, voice: str) -> RecognizedText | None:
        """The final text of a LiveSpeech; None if it has none.

        :param now_ns: its time, if its header has none.
        :param voice: id of its voice.
        :raises ValueError: if the text is too long.
        """
        text = speech.final.strip()
        if not text:
            return None
        require_at_most(MAX_TEXT, len(text), 'characters', 'a text')
        tag = getattr(speech, 'language', '') or getattr(speech, 'locale', '')  # called so in newer versions
        require_name(tag, 'the language of a text')
        confidence = speech.confidence if 0 < speech.confidence <= 1 else 1.0  # 0: never filled in
        return RecognizedText(text, to_ns(speech.header.stamp) or now_ns, confidence, language_code(tag), voice)
