# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Nothing is asked of a model hub unless the user allows it: Hugging Face's libraries are told."""
from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

SWITCHES = ('HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE', 'HF_HUB_DISABLE_TELEMETRY', 'HF_HUB_DISABLE_UPDATE_CHECK')


def use(*, allow_download: bool = False) -> None:
    """Holds for the whole process. Call it before the import of a library that may ask the hub."""
    for name in SWITCHES:
        os.environ[name] = '0' if allow_download else '1'
    constants = sys.modules.get('huggingface_hub.constants')  # read the environment when it was imported
    if constants is not None:
        constants.HF_HUB_OFFLINE = not allow_download  # type: ignore[attr-defined]


def require(folder: Path, patterns: Iterable[str]) -> None:
    """What is missing would be looked for in the hub.

    :param patterns: names of files; several that will do are separated by |.
    :raises ValueError: naming the first that is not in the folder.
    """
    for pattern in patterns:
        if not any(any(folder.glob(name)) for name in pattern.split('|')):
            raise ValueError(
                f'{folder} has no {pattern.replace("|", " or ")}, and nothing is downloaded; copy it there from where '
                'the model came from'
            )
