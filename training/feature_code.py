"""The modules that make the features: what was computed of them is computed again when one of these changes.

The packages hold more, such as trackers and detectors of voices, whose changes concern no stored result.
"""
from __future__ import annotations

HEARD = tuple(f'smern_ros.audio.{name}' for name in ('features', 'frames', 'loudness', 'mfcc', 'pitch', 'prosody'))
SHOWN = tuple(f'smern_ros.skeleton.{name}' for name in ('features', 'lowpass', 'resample', 'window'))
