# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Files that live as long as this process, for the processes that it starts."""
from __future__ import annotations

import atexit
import os
import tempfile
from pathlib import Path


def write(content: str, suffix: str) -> str:
    """:return: the path of a new file with that content.

    A process that is started again weeks later reads it again: so it lies in the user's runtime folder where there is
    one, since /tmp may be tidied meanwhile.
    """
    folder = os.environ.get('XDG_RUNTIME_DIR', '')
    with tempfile.NamedTemporaryFile(
        'w', prefix='smern-', suffix=suffix, dir=folder if os.access(folder, os.W_OK) else None, delete=False,
    ) as file:
        file.write(content)
    atexit.register(Path(file.name).unlink, missing_ok=True)
    return file.name
