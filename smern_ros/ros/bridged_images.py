# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Images in encodings that only ROS's cv_bridge reads, where it is there and works."""
from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
from sensor_msgs.msg import Image

from smern_ros.deploy.supervisor import describe_exit
from smern_ros.media import image_encodings
from smern_ros.ros.lifecycle import ConfigurationError

_TRIAL = """
from cv_bridge import CvBridge
from sensor_msgs.msg import Image
image = CvBridge().imgmsg_to_cv2(Image(height=2, width=2, encoding='bgra8', step=8, data=bytes(16)), 'bgr8')
assert image.shape == (2, 2, 3), image.shape
"""
_TRIAL_WITHIN = 60.0  # s


def create() -> Callable[[Image], np.ndarray]:
    """What makes (H, W, 3) uint8 BGR of a message and raises ValueError if it cannot.

    One that was compiled for another NumPy is imported well and ends the process at its first image: hence a trial in
    another process.

    :raises ConfigurationError: if cv_bridge is not there, or does not survive the trial.
    """
    try:
        trial = subprocess.run(
            [sys.executable, '-c', _TRIAL], capture_output=True, text=True, errors='replace', timeout=_TRIAL_WITHIN
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigurationError(f'cannot test cv_bridge: {error}') from error
    if trial.returncode:
        why = (trial.stderr.strip().splitlines() or [''])[-1][:200]
        raise ConfigurationError(
            f'cv_bridge does not work ({describe_exit(trial.returncode)}: {why}); is it compiled for NumPy '
            f'{np.__version__}? With cv_bridge: false these are supported: {", ".join(image_encodings.NAMES)}'
        )
    from cv_bridge import CvBridge

    bridge = CvBridge()

    def read(message: Image) -> np.ndarray:
        try:
            return bridge.imgmsg_to_cv2(message, 'bgr8')
        except Exception as error:  # its own, cv2's or numpy's, by what was wrong
            raise ValueError(
                f'cv_bridge cannot convert encoding {message.encoding[:40]!r}: {str(error)[:200]}'
            ) from error

    return read
