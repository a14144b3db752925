# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the benchmark says of a graph that lost something: how much came, not only how fast it was."""
from bench.live import LOSSLESS, Heard, tell_latencies, tell_throughput
from smern_ros.deploy import graph, processes
from smern_ros.values import SECOND


def heard(utterances: int, *, provisional: int, final: int) -> Heard:
    """Each utterance ends at its number in s; it was decided 0.4 s later, and its states come 0.5 s after its end."""
    states = [(k * SECOND + SECOND // 2, f'u{k}', k * SECOND, False) for k in range(provisional)]
    states += [(k * SECOND + SECOND // 2, f'u{k}', k * SECOND, True) for k in range(final)]
    return Heard({f'u{k}': (int((k + 0.4) * SECOND), k * SECOND, k * SECOND) for k in range(utterances)}, states)


def rows(capsys) -> dict[str, str]:
    return {line[:52].strip(): line[53:] for line in capsys.readouterr().out.splitlines()}


def test_utterances_without_a_state_are_counted(capsys):
    tell_latencies([heard(3, provisional=2, final=3), heard(3, provisional=0, final=2)])
    said = rows(capsys)
    assert said['last voiced sample to provisional state'].endswith('n 2 of 6 utterances')
    assert said['last voiced sample to final state'].endswith('n 5 of 6 utterances')
    assert 'median   500.0 ms' in said['last voiced sample to final state']
    assert 'median   100.0 ms' in said['decision that it ended to final state']


def test_frames_that_did_not_come_out_are_told(capsys):
    tell_throughput([k * SECOND // 20 for k in range(41)], frames=50, alone=40.0)
    assert rows(capsys) == {
        'pose through the graph, as fast as it goes': '41 of 50 frames, 20.0 frames/s, 0.50 of alone'
    }


def test_nothing_at_all_is_told_too(capsys):
    tell_throughput([], frames=50, alone=40.0)
    tell_latencies([Heard()])
    said = rows(capsys)
    assert said['pose through the graph, as fast as it goes'] == '0 of 50 frames'
    assert said['last voiced sample to final state'] == 'none of 0 utterances'


def test_for_throughput_the_pose_node_drops_no_frames():
    from smern_ros.nodes.pose_estimation import PoseEstimationNode

    (override,) = LOSSLESS
    assert override.value == 'false'
    assert override.parameter in {p.name for p in PoseEstimationNode.PARAMETERS}
    assert processes.children([graph.node(override.node)], overrides=LOSSLESS)
