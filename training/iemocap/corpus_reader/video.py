"""The dialog's video shows both actors side by side."""
from __future__ import annotations

from enum import Enum

from smern_ros.training.iemocap.corpus_reader.names import UtteranceId


class Side(str, Enum):
    """Half of the picture, as one sees it."""

    LEFT = 'left'
    RIGHT = 'right'

    @classmethod
    def of(cls, utterance: UtteranceId) -> Side:
        """Where the speaker is: on the left exactly if it is who wears the markers."""
        return cls.LEFT if utterance.wears_markers else cls.RIGHT

    def columns(self, width: int) -> slice:
        """:param width: of the whole picture, pixels; 720 in the corpus."""
        return slice(0, width // 2) if self is Side.LEFT else slice(width // 2, width)
