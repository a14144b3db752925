"""Stored results know all the code that their features came of."""
import subprocess
import sys

import pytest

from smern_ros.training.common import feature_code


@pytest.mark.parametrize('package, entries, named', [
    ('smern_ros.audio', ['features'], feature_code.HEARD),
    ('smern_ros.speech', ['encoder'], feature_code.ENCODED),
    ('smern_ros.skeleton', ['features', 'window'], feature_code.SHOWN),
    ('smern_ros.speech', ['recogniser', 'whisper_ct2'], feature_code.RECOGNISED),
])
def test_every_module_that_the_features_need_is_named(package, entries, named):
    program = f'import sys; {"; ".join(f"import {package}.{e}" for e in entries)}; print(*sys.modules)'
    loaded = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True, check=True).stdout.split()
    assert {name for name in loaded if name.startswith(f'{package}.')} == set(named)
