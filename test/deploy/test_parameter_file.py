# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameter files: refused where they mean nobody, and read as the types that a node declares."""
import math
import os

import pytest
import yaml

from smern_ros.deploy import parameter_file, yaml_scalars
from smern_ros.deploy.parameter_file import as_declared, require_for

DECLARED = {'text_timeout': float, 'queue': int, 'publish_gesture_states': bool, 'speaker': str, 'mmpose.weights': str}
NODES = ['/fusion', '/asr']


@pytest.mark.parametrize(('text', 'kind', 'value'), [
    *((text, str, text) for text in (
        'no', 'yes', 'on', 'off', 'y', 'true', 'null', '~', '', '1', '007', '0x10', '1e3', '2026', '2026-11-29',
        '12:30', '.nan', '1_000', ' a: b # c ', '[1, 2]', "it's",
    )),
    *((text, float, value) for text, value in (
        ('2', 2.0), ('2.5', 2.5), ('1e3', 1000.0), ('-1', -1.0), ('.5', 0.5), ('5.', 5.0), ('0x10', 16.0),
        ('1_000', 1000.0), ('.inf', math.inf), ('-.INF', -math.inf), ('inf', math.inf), ('1e-9', 1e-9), ('1e22', 1e22),
    )),
    *((text, int, value) for text, value in (
        ('2', 2), ('2.0', 2), ('1e3', 1000), ('0x10', 16), ('0b11', 3), ('010', 10), ('08', 8), ('-3', -3), ('+3', 3),
        ('9007199254740993', 9007199254740993),
    )),
    *((text, bool, True) for text in ('true', 'True', 'TRUE', 'yes', 'on', 'y', 'ON')),
    *((text, bool, False) for text in ('false', 'no', 'off', 'N')),
])
def test_a_value_is_read_as_the_declared_type(text, kind, value):
    read = yaml_scalars.read(text, kind)
    assert read == value and type(read) is kind
    written = yaml_scalars.to_yaml(read)
    assert yaml_scalars.read(written.value, kind) == value
    assert kind is not str or written.style == '"', 'ROS takes other words for numbers than PyYAML does'


def test_no_number_at_all_is_a_number_too():
    assert math.isnan(yaml_scalars.read('.NaN', float)) and yaml_scalars.to_yaml(math.nan).value == '.nan'


@pytest.mark.parametrize(('text', 'kind'), [
    *((text, float) for text in ('', 'two', '1,5', '12:30', 'no', '~', 'null', '2026-11-29', '1 s')),
    *((text, int) for text in ('', '2.5', 'nan', 'inf', '1e400', 'x', 'true')),
    *((text, bool) for text in ('', '1', '0', 'maybe', '~')),
])
def test_what_does_not_read_as_it_is_refused_and_named(text, kind):
    with pytest.raises(ValueError, match='is not (a number|a whole number|true or false)') as refused:
        yaml_scalars.read(text, kind)
    assert repr(text) in str(refused.value)


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / 'mine.yaml'
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def own(path, name='/fusion'):
    return yaml.safe_load(as_declared(path, name, DECLARED))


@pytest.mark.parametrize('section', ['fusion', '/fusion', '/**/fusion', '/*/fusion', '/**', '/robot/fusion'])
def test_values_are_typed_in_each_section_that_is_for_the_node(file, section):
    path = file(
        f'{section}:\n  ros__parameters: {{text_timeout: 2, speaker: 007, queue: 3.0, publish_gesture_states: on}}'
    )
    name = '/robot/fusion' if section in ('/*/fusion', '/robot/fusion') else '/fusion'
    (parameters,) = own(path, name).values()
    assert parameters['ros__parameters'] == {
        'text_timeout': 2.0,
        'speaker': '007',
        'queue': 3,
        'publish_gesture_states': True,
    }
    assert type(parameters['ros__parameters']['text_timeout']) is float


def test_a_file_may_begin_with_a_mark_of_its_byte_order(file):
    assert own(file(b'\xef\xbb\xbffusion: {ros__parameters: {text_timeout: 2}}\r\n')) == {
        'fusion': {'ros__parameters': {'text_timeout': 2.0}}
    }


def test_nested_namespaces_and_nested_names_are_followed(file):
    path = file('robot:\n  fusion:\n    ros__parameters:\n      mmpose:\n        weights: 7\n')
    assert own(path, '/robot/fusion')['robot']['fusion']['ros__parameters'] == {'mmpose': {'weights': '7'}}


def test_sections_of_other_nodes_and_what_is_for_all_keep_what_ros_makes_of_them(file):
    text = 'camera:\n  ros__parameters: {text_timeout: 2, rates: [1, 2]}\n/**:\n  ros__parameters: {of_others: no}\n'
    assert own(file(text)) == yaml.safe_load(text)
    qos = 'fusion:\n  ros__parameters: {qos_overrides: {/x: {publisher: {depth: 5}}}, use_sim_time: on}\n'
    assert own(file(qos)) == yaml.safe_load(qos)


def test_what_is_left_empty_is_written_out_for_whomever_it_is_for_ros_refuses_the_file_else(file):
    text = 'asr:\n  ros__parameters:\n    # queue: 3\n/eye:\n  ros__parameters:\n    path: # none\n    a:\n      b:\n'
    path = file(f'{text}/**:\n  ros__parameters:\n    speaker:\n    frame:\n')
    assert own(path) == {
        'asr': {'ros__parameters': {}},
        '/eye': {'ros__parameters': {'path': '', 'a': {'b': ''}}},
        '/**': {'ros__parameters': {'speaker': '', 'frame': ''}},
    }
    with pytest.raises(ValueError, match="text_timeout: '' is not a number"):
        own(file('fusion:\n  ros__parameters:\n    text_timeout:\n'))


@pytest.mark.parametrize(('parameters', 'reason'), [
    ('text_timeout: soon', "text_timeout: 'soon' is not a number"),
    ('text_timeout: [1, 2]', 'text_timeout is a list'),
    ('queue: 2.5', "queue: '2.5' is not a whole number"),
    ('use_sim_time: maybe', "use_sim_time: 'maybe' is not true or false"),
    ('text_timeuot: 2', 'unknown parameter text_timeuot; did you mean text_timeout?'),
    ('text_wait: 2', 'parameter text_wait is called text_timeout now'),
    ('mmpose: {wieghts: x}', r'unknown parameter mmpose\.wieghts; did you mean mmpose\.weights'),
    ('text_timeout: {a: 1}', r'unknown parameter text_timeout\.a'),
])
def test_a_wrong_value_is_refused_with_file_node_and_parameter(file, parameters, reason):
    path = file(f'/**/fusion:\n  ros__parameters: {{{parameters}}}')
    with pytest.raises(ValueError, match=reason) as refused:
        own(path)
    assert str(refused.value).startswith(f'{path}: /**/fusion: ')


@pytest.mark.parametrize(('content', 'reason'), [
    ('', 'its begin'),
    ('# nothing', 'its begin'),
    ('just words', 'its begin'),
    ('[1, 2]', 'its begin'),
    ('{a: [', 'cannot be read as YAML'),
    ('a: 1\n\tb: 2', 'cannot be read as YAML'),
    (b'\x89PNG\r\n\x1a\n\x00', 'cannot be read as YAML'),
    (b'fusion: "\xff"', 'cannot be read as YAML'),
    ('a: 1\n---\nb: 2', 'cannot be read as YAML'),
    ('fusion:\n  text_timeout: 2', 'wrong at /fusion/text_timeout'),
    ('fusion:\n  ros__parameters: 2', 'wrong at /fusion'),
    ('ros__parameters: {text_timeout: 2}', 'is for no node'),
    ('camera: {ros__parameters: {x: 1}}', 'none of the nodes /fusion, /asr, but for /camera.*/fusion:'),
    ('/robot/fusion: {ros__parameters: {x: 1}}', 'none of the nodes .* but for /robot/fusion'),
    ('[' * 100_000, 'cannot be read as YAML'),
    ('fusion: &a {x: *a}', 'ROS takes no aliases.*line 1'),
    ('a' * (parameter_file.LARGEST + 1), 'bytes'),
])
def test_a_file_that_is_none_or_means_nobody_is_refused_by_name(file, content, reason):
    path = file(content)
    with pytest.raises(ValueError, match=f'(?s){reason}') as refused:
        require_for(path, NODES)
    assert str(path) in str(refused.value)


@pytest.mark.timeout(60)
@pytest.mark.parametrize('make', [lambda path: None, os.mkdir, os.mkfifo])
def test_what_is_no_file_is_refused_at_once(tmp_path, make):
    make(tmp_path / 'mine.yaml')
    with pytest.raises(FileNotFoundError, match=r'no parameter file .*mine\.yaml'):
        require_for(tmp_path / 'mine.yaml', NODES)


@pytest.mark.parametrize('section', ['/**', 'fusion', '/asr', '/**/asr', '/*'])
def test_one_section_for_one_node_is_enough(file, section):
    require_for(file(f'camera: {{ros__parameters: {{x: 1}}}}\n{section}: {{ros__parameters: {{}}}}'), NODES)
