# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What `smern run` starts, and with which arguments."""
import sys
from pathlib import Path

import pytest
import yaml

from smern_ros.deploy import graph
from smern_ros.deploy.processes import Override, children
from smern_ros.utils.resources import share


def arguments(child) -> list[str]:
    return list(child.command[child.command.index('--ros-args') + 1:])


def test_a_process_for_each_node_with_this_python():
    processes = children(graph.select())
    expected = [[sys.executable, '-m', 'smern_ros.nodes', n.name] for n in graph.select()]
    assert [p.command[:4] for p in processes] == expected


def test_only_optional_nodes_may_fail_to_configure_or_finish():
    for process in children(graph.NODES):
        assert process.optional == process.may_finish == graph.node(process.name).optional


def parameter_files(child) -> list[dict]:
    words = arguments(child)
    return [yaml.safe_load(Path(words[i + 1]).read_text()) for i, word in enumerate(words) if word == '--params-file']


def test_an_override_reaches_its_node_alone_and_after_the_file():
    overrides = [Override.parse('fusion.text_timeout:=1.5'), Override.parse('fusion.speaker:="7"')]
    process, *_ = children(graph.select(), overrides=overrides)
    given, own = parameter_files(process)
    assert given == yaml.safe_load(share('config', 'emotion.yaml').read_text())
    assert own.pop('/fusion') == {'ros__parameters': {'text_timeout': 1.5, 'speaker': '7'}}
    assert {name for section in own.values() for name in section['ros__parameters']} == {'start_after'}


def test_simulated_time_is_for_every_node_wherever_it_runs():
    process, *_ = children(graph.NODES, use_sim_time=True, namespace='a/b')
    own = parameter_files(process)[1]
    assert {name: section['ros__parameters'].get('use_sim_time') for name, section in own.items()} == {
        f'/a/b/{n.name}': True for n in graph.NODES
    }


def test_every_node_starts_itself_after_those_that_take_what_it_gives_unless_a_manager_does():
    def own(**how):
        sections = parameter_files(children(graph.select(), **how)[0])[1]
        return {name: section['ros__parameters'] for name, section in sections.items()}

    assert own() == {
        '/pose_estimation': {'start_after': 'skeleton_filter'},
        '/skeleton_filter': {'start_after': 'fusion'},
        '/audio_features': {'start_after': 'skeleton_filter,asr,fusion'},
        '/asr': {'start_after': 'fusion'},
    }
    again = [child.command_again for child in children(graph.select())]
    assert [command.count('--params-file') for command in again] == [1] * len(again), 'who died waits for nobody'
    managed = own(autostart=False)
    assert set(managed) == {f'/{n.name}' for n in graph.select()}
    assert not any(section['autostart'] for section in managed.values())


@pytest.mark.parametrize('namespace', ['robot', '/robot', '/robot/'])
def test_a_namespace_may_be_written_either_way(namespace):
    (process,) = children([graph.node('fusion')], namespace=namespace)
    assert '__ns:=/robot' in arguments(process)


@pytest.mark.parametrize('text', [
    '', 'text_timeout:=1', 'fusion.text_timeout=1', '.x:=1', 'fusion.:=1', 'nobody.x:=1', 'fusion.x:="'
])
def test_an_override_that_makes_no_sense_is_refused(text):
    with pytest.raises(ValueError, match=r':=|nobody|quote'):
        Override.parse(text)


def test_an_override_may_hold_any_value():
    assert Override.parse('media_source.media:=a:=b.mp4').value == 'a:=b.mp4'


@pytest.mark.parametrize('path', ['/a: b', '/models/it\'s "new" # 2', '007', 'true', '/Modelle/Wörter', '', '\\t\t'])
def test_a_text_stays_the_text_that_it_is(path):
    process, *_ = children(graph.select(), overrides=[Override.text('fusion', 'checkpoint', path)])
    assert parameter_files(process)[1]['/fusion'] == {'ros__parameters': {'checkpoint': path}}


def test_wrong_settings_are_refused_before_anything_starts(tmp_path):
    with pytest.raises(ValueError, match='loud'):
        children(graph.NODES, log_level='loud')
    with pytest.raises(FileNotFoundError, match=r'none\.yaml'):
        children(graph.NODES, params_file=tmp_path / 'none.yaml')


def test_a_source_waits_only_for_nodes_that_are_started():
    def own(nodes):
        return parameter_files(children(nodes)[-1])[1]['/media_source']['ros__parameters']

    assert own(graph.select({'asr': False, 'media_source': True}))['wait_for'] == (
        'pose_estimation,skeleton_filter,audio_features,fusion'
    )
    assert 'wait_for' not in own(graph.NODES)
