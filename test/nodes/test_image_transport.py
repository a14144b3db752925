# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Camera images reach another process whole and all of them, best effort as cameras publish, with either profile."""
import json
import os
import re
from pathlib import Path

import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from smern_ros.deploy import dds  # noqa: E402

SUPPORT = Path(__file__).parents[1] / 'support'
IMAGES = 150  # five seconds


def stream(start_node, images: int, *, compressed: bool = False) -> list[int]:
    """Numbers of the images that came whole from one process to another at 30 Hz."""
    settings = {'images': images, 'compressed': compressed}
    counter = start_node(SUPPORT / 'image_counter.py', settings | {'seconds': images / 30 + 20.0})
    camera = start_node(SUPPORT / 'camera.py', settings)
    assert counter.wait() == 0, counter.output
    assert camera.said('all sent'), camera.output
    line = next(line for line in counter.output.splitlines() if line.startswith('{'))
    return json.loads(line)['whole']


def variable_and_file(profile: str) -> tuple[str, Path]:
    """The environment variable that names a DDS profile to this ROS, and the profile's file."""
    peers = '127.0.0.1' if profile == dds.MULTI_HOST else ''
    given = dds.environment(profile, {'ROS_DISTRO': os.environ.get('ROS_DISTRO', '')}, peers=peers)
    (variable,) = given.keys() - dds.DISCOVERY.keys()
    return variable, Path(given[variable])


@pytest.mark.parametrize('profile', [dds.LOCAL, dds.MULTI_HOST])
def test_no_image_is_lost_between_two_processes(start_node, monkeypatch, profile):
    variable, path = variable_and_file(profile)
    monkeypatch.setenv(variable, str(path))
    assert stream(start_node, IMAGES) == list(range(IMAGES))


def test_no_compressed_image_is_lost_over_udp_as_between_hosts(start_node, monkeypatch, tmp_path):
    """A raw image is fifteen datagrams: a busy host loses some of them. A JPEG is a few."""
    variable, path = variable_and_file(dds.MULTI_HOST)
    shared_memory = r'(?<=<userTransports>)\s*<transport_id>smern_shm</transport_id>'
    profile, found = re.subn(shared_memory, '', path.read_text())
    assert found == 1
    (tmp_path / 'udp.xml').write_text(profile)
    monkeypatch.setenv(variable, str(tmp_path / 'udp.xml'))
    assert stream(start_node, IMAGES, compressed=True) == list(range(IMAGES))
