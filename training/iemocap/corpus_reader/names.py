# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Names of dialogs and utterances, such as Ses01F_impro01 and Ses01F_impro01_M003."""
from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

_DIALOG = re.compile(r'Ses0(?P<session>[1-5])(?P<wearer>[FM])_(?:impro|script)[0-9]{2}[ab]?(?:_[0-9]b?)?')
_UTTERANCE = re.compile(rf'(?P<dialog>{_DIALOG.pattern})_(?P<actor>[FM])[0-9]{{3}}')
_UNNUMBERED = re.compile(rf'{_DIALOG.pattern}_[FM]XX[0-9]')


@dataclass(frozen=True)
class Dialog:
    """One recording of a woman (F) and a man (M)."""

    name: str
    session: int  # 1..5
    wearer: str   # F or M: whose face and hands carry the markers

    @classmethod
    def parse(cls, name: str) -> Dialog:
        """:raises ValueError: if no dialog is called so."""
        match = _DIALOG.fullmatch(name)
        if match is None:
            raise ValueError(f'{name!r} is no name of a dialog; wanted one like Ses01F_impro01 or Ses01M_script01_1')
        return cls(name, int(match['session']), match['wearer'])


@dataclass(frozen=True)
class UtteranceId:
    """What an utterance's id says."""

    text: str
    dialog: Dialog
    actor: str  # F or M: who speaks

    @classmethod
    def parse(cls, text: str) -> UtteranceId:
        """:raises ValueError: if no utterance is called so."""
        match = _UTTERANCE.fullmatch(text)
        if match is None:
            raise ValueError(f'{text!r} is no id of an utterance; wanted one like Ses01F_impro01_M003')
        return cls(text, Dialog.parse(match['dialog']), match['actor'])

    @property
    def speaker(self) -> str:
        """One of ten, such as Ses01M: the dialog's letter tells who wears the markers, the last one who speaks."""
        return f'Ses0{self.dialog.session}{self.actor}'

    @property
    def wears_markers(self) -> bool:
        return self.actor == self.dialog.wearer


class Side(str, Enum):
    """Half of the dialog's video, which shows both actors side by side."""

    LEFT = 'left'
    RIGHT = 'right'

    @classmethod
    def of(cls, utterance: UtteranceId) -> Side:
        """Where the speaker is: on the left exactly if it is who wears the markers."""
        return cls.LEFT if utterance.wears_markers else cls.RIGHT

    def columns(self, width: int) -> slice:
        """:param width: of the whole picture, pixels; 720 in the corpus."""
        return slice(0, width // 2) if self is Side.LEFT else slice(width // 2, width)


def is_unnumbered(text: str) -> bool:
    """Whether this is an id like Ses01F_impro01_MXX0, of speech that was transcribed but never evaluated."""
    return _UNNUMBERED.fullmatch(text) is not None
