"""What `smern run` starts, and with which arguments."""
import sys

import pytest

from smern_ros import graph
from smern_ros.starter import Override, children


def arguments(child) -> list[str]:
    return list(child.command[child.command.index('--ros-args') + 1:])


def test_a_process_for_each_node_with_this_python():
    processes = children(graph.select())
    expected = [[sys.executable, '-m', 'smern_ros.nodes', n.name] for n in graph.select()]
    assert [p.command[:4] for p in processes] == expected


def test_only_optional_nodes_may_fail_to_configure_or_finish():
    for process in children(graph.NODES):
        assert process.optional == process.may_finish == graph.node(process.name).optional


def test_an_override_reaches_its_node_alone_and_after_the_file():
    processes = children(graph.select(), overrides=[Override.parse('fusion.text_wait:=1.5')])
    for process in processes:
        given = [w for w in arguments(process) if 'text_wait' in w]
        assert given == (['text_wait:=1.5'] if process.name == 'fusion' else [])
        assert '--params-file' in arguments(process)


@pytest.mark.parametrize('namespace', ['robot', '/robot', '/robot/'])
def test_a_namespace_may_be_written_either_way(namespace):
    (process,) = children([graph.node('fusion')], namespace=namespace)
    assert '__ns:=/robot' in arguments(process)


@pytest.mark.parametrize('text', ['text_wait:=1', 'fusion.text_wait=1', '.x:=1', 'fusion.:=1', 'nobody.x:=1', ''])
def test_an_override_that_makes_no_sense_is_refused(text):
    with pytest.raises(ValueError, match=r':=|nobody'):
        Override.parse(text)


def test_an_override_may_hold_any_value():
    assert Override.parse('media_source.media:=a:=b.mp4').value == 'a:=b.mp4'


def test_wrong_settings_are_refused_before_anything_starts(tmp_path):
    with pytest.raises(ValueError, match='loud'):
        children(graph.NODES, log_level='loud')
    with pytest.raises(FileNotFoundError, match=r'none\.yaml'):
        children(graph.NODES, params_file=tmp_path / 'none.yaml')
