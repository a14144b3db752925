# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Files that others made are not read if they are too large, or no files."""
import os

import pytest

from smern_ros.utils.file_size import require_size


def test_a_file_may_be_as_large_as_is_said_and_no_larger(tmp_path):
    file = tmp_path / 'file'
    file.write_bytes(bytes(3))
    require_size(file, 3)
    with pytest.raises(ValueError, match='file has 3 bytes, and more than 2 are never read'):
        require_size(file, 2)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / 'pipe')
    with pytest.raises(ValueError, match='pipe is a pipe or device'):
        require_size(tmp_path / 'pipe', 2)
