# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Memory that a network frees is there for the next step."""
import subprocess
import sys

import pytest

_STEPS = """
import resource
import torch
from smern_ros.utils.malloc import TENSORS, keep_freed

if {kept}:
    keep_freed(TENSORS)
torch.set_num_threads(1)
for step in range(24):
    if step == 12:  # what is aligned fits a freed block only when some of them have joined: settled after six
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    large = [torch.ones(16 << 20) for _ in range(2)]
    del large
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='glibc')
def test_what_was_freed_is_not_asked_for_again():
    given_back, kept = (
        int(subprocess.run([sys.executable, '-c', _STEPS.format(kept=k)], check=True, capture_output=True).stdout)
        for k in (False, True)
    )
    assert kept * 10 < given_back
