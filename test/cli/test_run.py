# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""`smern run` on real nodes: it keeps them up, and ends them all."""
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from queue import Queue

import pytest

pytestmark = pytest.mark.ros
LIGHT = ['--without', 'pose_estimation', '--without', 'audio_features', '--without', 'asr', '--without', 'fusion']
"""Leaves skeleton_filter alone, which loads no network."""
WAIT = 60.0


class Run:
    """The command as a process, its lines as they come."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'smern_ros.cli.main', 'run', *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        self._lines: Queue[str] = Queue()
        self.text = ''
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(line)

    def until(self, part):
        while part not in self.text:
            self.text += self._lines.get(timeout=WAIT)

    def children(self):
        threads = Path(f'/proc/{self.process.pid}/task').glob('*/children')
        return [int(pid) for thread in threads for pid in thread.read_text().split()]


@pytest.fixture
def run():
    runs = []

    def start(*arguments):
        runs.append(Run(*arguments))
        return runs[-1]

    yield start
    for each in runs:
        each.process.kill()
        each.process.wait()


@pytest.fixture
def diagnostics():
    """Waits for a node's next report and returns its name."""
    import rclpy
    from diagnostic_msgs.msg import DiagnosticArray

    with rclpy.init():
        node = rclpy.create_node('listener')
        names = []
        node.create_subscription(DiagnosticArray, '/diagnostics', lambda m: names.append(m.status[0].name), 10)

        def wait(pattern):
            names.clear()
            end = time.monotonic() + WAIT
            while not any(re.search(pattern, name) for name in names):
                assert time.monotonic() < end, f'only {names} spoke'
                rclpy.spin_once(node, timeout_sec=0.5)

        yield wait
        node.destroy_node()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_one_signal_ends_all_within_three_seconds(run, diagnostics, number):
    graph = run(*LIGHT)
    diagnostics('skeleton_filter')
    children = graph.children()
    began = time.monotonic()
    graph.process.send_signal(number)
    assert graph.process.wait(WAIT) == 0
    assert time.monotonic() - began < 3.0
    assert len(children) == 1
    assert not any(os.path.exists(f'/proc/{pid}') for pid in children)


def test_a_node_that_is_killed_comes_back_and_it_is_said(run, diagnostics):
    graph = run(*LIGHT, '--namespace', 'robot')
    diagnostics('/robot/skeleton_filter')
    (pid,) = graph.children()
    os.kill(pid, signal.SIGKILL)
    graph.until('skeleton_filter died (killed by SIGKILL)')
    diagnostics('/robot/skeleton_filter')
    assert graph.children() != [pid]


@pytest.mark.parametrize('where', [[], ['--namespace', 'robot']])
def test_a_wrong_parameter_stops_the_run_and_says_what_is_wrong(run, where):
    graph = run(*LIGHT, *where, '--set', 'skeleton_filter.history:=-1.0')
    graph.until('skeleton_filter cannot run as it is configured')
    assert graph.process.wait(WAIT) == 2
    assert 'history' in graph.text


def test_the_parameter_file_holds_in_a_namespace_too(run, tmp_path):
    params = tmp_path / 'mine.yaml'
    params.write_text('/**/skeleton_filter:\n  ros__parameters:\n    history: -1.0\n')
    graph = run(*LIGHT, '--namespace', 'robot', '--params-file', str(params))
    assert graph.process.wait(WAIT) == 2


@pytest.mark.parametrize('arguments', [['--params-file', 'none.yaml'], ['--set', 'x'], ['--with', 'x'], ['--dds', 'x']])
def test_wrong_arguments_start_nothing(run, arguments):
    assert run(*arguments).process.wait(WAIT) == 2


def test_a_checkpoint_whose_path_looks_like_yaml_reaches_fusion_as_it_is(tmp_path, monkeypatch):
    import argparse

    import yaml

    from smern_ros.cli import run as command

    given = {}
    monkeypatch.setattr(command, 'Supervisor', lambda children: given.update(children=children) or _Ended())
    monkeypatch.setattr(command.signal, 'signal', lambda *_: None)
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    folder = tmp_path / 'a: b # 2'
    assert command.run(parser.parse_args(['run', '--checkpoint', str(folder)])) == 0
    (*_, own), = {tuple(p.command[i + 1] for i, w in enumerate(p.command) if w == '--params-file')
                  for p in given['children']}
    assert yaml.safe_load(Path(own).read_text())['/fusion'] == {'ros__parameters': {'checkpoint': str(folder)}}


class _Ended:
    """A supervisor whose children have all finished."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def wait(self):
        return 0
