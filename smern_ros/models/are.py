"""Audio Recurrent Encoder (paper, section III-C; base model [30])."""
from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import nn

from smern_ros.models.checks import check_config, check_lengths, check_shape
from smern_ros.models.masked import mean_and_deviation, means_of
from smern_ros.models.recurrent import init_orthogonal, last_state


class ARE(nn.Module):
    """MFCC through a GRU; its final state and the prosodic values through a fully connected layer: the vector A.

    Ours: with a `stride` the GRU reads the mean of so many frames at a time; with `pooling='statistics'` the layer sees
    the mean and the deviation over time of its states and of the MFCC instead of the final state.
    """

    INPUTS = ('mfcc', 'mfcc_lengths', 'prosody')

    @dataclass(frozen=True)
    class Config:
        mfcc: int = 39
        prosody: int = 35
        hidden: int = 200
        out: int = 200
        labels: int = 4
        dropout: float = 0.3  # on the input and on the output of the GRU, as in [30]
        stride: int = 1       # frames that the GRU reads as one
        pooling: str = field(default='last', metadata={'choices': ('last', 'statistics')})

        def __post_init__(self):
            check_config(self)

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.dropout = nn.Dropout(config.dropout)
        self.gru = nn.GRU(config.mfcc, config.hidden, batch_first=True)
        pooled = config.hidden if config.pooling == 'last' else 2 * (config.hidden + config.mfcc)
        self.fc = nn.Linear(pooled + config.prosody, config.out)
        self.output = nn.Linear(config.out, config.labels)
        init_orthogonal(self.gru)

    def features(self, mfcc: torch.Tensor, lengths: torch.Tensor, prosody: torch.Tensor) -> torch.Tensor:
        """The vector A.

        :param mfcc: (B, T, 39) normalised, padded at the end.
        :param lengths: (B,) int64, valid frames, 1..T.
        :param prosody: (B, 35) normalised.
        :return: (B, 200)
        """
        check_shape('mfcc', mfcc, None, None, self.config.mfcc)
        check_shape('prosody', prosody, len(mfcc), self.config.prosody)
        check_lengths('lengths', lengths, *mfcc.shape[:2])
        frames, steps = means_of(self.config.stride, mfcc, lengths)    # (B, T, 39)   T / stride with a stride
        frames = self.dropout(frames)
        if self.config.pooling == 'last':
            heard = self.dropout(last_state(self.gru, frames, steps))  # (B, 200)
        else:
            states, _ = self.gru(frames)                               # (B, T, 200)
            of_states = mean_and_deviation(states, steps)              # (B, 400)
            heard = torch.cat([self.dropout(of_states), mean_and_deviation(mfcc, lengths)], dim=1)  # (B, 478)
        joint = torch.cat([heard, prosody], dim=1)                     # (B, 235)   513 with statistics
        return torch.tanh(self.fc(joint))                              # (B, 200)

    def forward(self, mfcc: torch.Tensor, lengths: torch.Tensor, prosody: torch.Tensor) -> torch.Tensor:
        """:return: (B, 4) logits, from audio alone."""
        return self.output(self.features(mfcc, lengths, prosody))
