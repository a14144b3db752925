# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a soak finds: growth, kept files, lateness and lost states, and nothing where there is nothing."""
import numpy as np
import pytest

from bench.live import Heard
from bench.soak import Samples, summarise
from smern_ros.values import SECOND

COUNT = 60
"""Samples: five minutes."""


def samples(*, slope=0.0, files=20, files_last=20) -> dict[str, Samples]:
    """:param slope: MB a minute."""
    noise = np.random.default_rng(0).normal(0, 0.5, COUNT)
    memory = [200.0 + slope * k * 5 / 60 + noise[k] for k in range(COUNT)]
    return {'asr': Samples(memory, [files] * (COUNT // 2) + [files_last] * (COUNT // 2))}


def heard(*, latency_last=0.5, lost=0) -> Heard:
    """An utterance every ten seconds, and its final state some half a second after it."""
    found = Heard()
    for k in range(30):
        end_ns = 10 * k * SECOND
        found.decided[f'u{k}'] = (end_ns, end_ns, end_ns)
        if k >= lost:
            late = 0.5 if k < 15 else latency_last
            found.states.append((end_ns + round(late * SECOND), f'u{k}', end_ns, True))
    return found


def test_a_graph_that_keeps_its_size_and_pace_has_no_trouble():
    report = summarise(samples(), heard(), set())
    assert report.troubles() == []
    assert report.minutes == 5.0 and report.finals == report.utterances == 30
    assert report.latency_first == pytest.approx(500) and abs(report.nodes['asr'].memory_slope) < 0.2


@pytest.mark.parametrize(('case', 'said'), [
    ((samples(slope=1.5), heard()), 'asr grows by 1.5'),
    ((samples(files_last=21), heard()), 'asr had 20 files open at first and 21 at last'),
    ((samples(), heard(latency_last=0.6)), 'final states came after 500 ms, at last 600 ms'),
    ((samples(), heard(lost=1)), '30 utterances, but 29 final states'),
])
def test_each_trouble_is_named(case, said):
    (trouble,) = summarise(*case, set()).troubles()
    assert trouble.startswith(said)


def test_utterances_of_the_warm_up_do_not_count():
    assert summarise(samples(), heard(lost=3), {'u0', 'u1', 'u2'}).troubles() == []
