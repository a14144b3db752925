"""What of an actor's movement the network gets: as the robot, or nearer to the paper."""
from __future__ import annotations

from dataclasses import dataclass

from smern_ros.skeleton.lowpass import causal, zero_phase

FILTERS = {'zero-phase': zero_phase, 'causal': causal}


@dataclass(frozen=True)
class SkeletonChoice:
    """As the robot does it, unless told otherwise."""

    raw: bool = False           # positions from the estimator's origin, in metres; else without place, size and heading
    filter: str = 'zero-phase'  # of FILTERS

    def __post_init__(self) -> None:
        """:raises ValueError: for anything else."""
        if not isinstance(self.raw, bool) or self.filter not in FILTERS:
            raise ValueError(f'skeletons are {self}; wanted raw true or false and a filter of {", ".join(FILTERS)}')

    @property
    def differs(self) -> str:
        """What a robot does otherwise, in words; empty if nothing."""
        parts = (('raw positions', self.raw), ('a causal filter', self.filter == 'causal'))
        return ' and '.join(what for what, so in parts if so)


AS_THE_ROBOT = SkeletonChoice()
