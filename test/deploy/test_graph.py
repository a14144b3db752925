# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The list of nodes is the truth: each has a module with a main, and no node is missing from the list."""
import ast

import pytest

from smern_ros.deploy import graph
from smern_ros.utils.resources import share

NODES_FOLDER = share('smern_ros', 'nodes')


def has_main(path) -> bool:
    return any(isinstance(part, ast.FunctionDef) and part.name == 'main' for part in ast.parse(path.read_text()).body)


def test_every_file_with_a_main_is_in_the_graph_and_the_other_way_round():
    assert {path.stem for path in NODES_FOLDER.glob('*.py') if has_main(path)} == {n.name for n in graph.NODES}


def test_names_differ():
    assert len({n.name for n in graph.NODES}) == len(graph.NODES)


def test_by_default_the_path_to_the_emotion_state_runs_and_nothing_else():
    assert [n.name for n in graph.select()] == [n.name for n in graph.NODES if not n.optional]


def test_switches_turn_nodes_on_and_off_and_keep_the_order():
    names = [n.name for n in graph.select({'media_source': True, 'pose_estimation': False})]
    assert names == ['skeleton_filter', 'audio_features', 'asr', 'fusion', 'media_source']


def test_who_gives_becomes_active_after_those_who_take_it():
    waits = {n.name: set(n.feeds) for n in graph.NODES}
    active: list[str] = []
    while waits:
        ready = [name for name, feeds in waits.items() if feeds <= set(active)]
        assert ready, f'these wait for each other, or for nodes that are not in the graph: {waits}'
        active += ready
        for name in ready:
            del waits[name]
    assert active[0] == 'fusion'


def test_a_node_waits_for_none_that_is_not_started():
    nodes = graph.select({'asr': False})
    assert graph.start_after(graph.node('audio_features'), nodes) == 'skeleton_filter,fusion'
    assert graph.start_after(graph.node('asr'), [graph.node('asr')]) == ''


def test_an_unknown_node_is_refused_with_the_names_there_are():
    with pytest.raises(ValueError, match="'pose'.*pose_estimation"):
        graph.select({'pose': False})


def test_sensors_and_inference_together_are_the_whole_graph_with_its_source():
    sensors, inference = (set(graph.select(part=part)) for part in (graph.SENSORS, graph.INFERENCE))
    assert sensors | inference == {n for n in graph.NODES if n.default or n.name == graph.SOURCE}
    assert not sensors & inference


def test_a_part_that_the_graph_has_not_is_refused():
    with pytest.raises(ValueError, match=r"'ears'.*sensors"):
        graph.select(part='ears')
