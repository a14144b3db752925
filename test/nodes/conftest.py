# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Of the tests of ros4hri_bridge: the messages of ROS4HRI, whoever else speaks them, and the node among them."""
import pytest


@pytest.fixture
def hri(give_interfaces):
    """The messages of ROS4HRI, which the nodes that are started find, too."""
    from support import interfaces

    give_interfaces(interfaces.ROS4HRI, interfaces.ROS_DRIVERS, here=True)
    import hri_msgs.msg

    return hri_msgs.msg


@pytest.fixture
def humans(probe, hri):
    from support.humans import Humans

    return Humans(probe, hri)


@pytest.fixture
def bridge(humans, probe, start_node):
    """Starts the node and waits until it listens."""
    from support.humans import HEIGHT, WIDTH

    def start(arguments=(), **parameters):
        sizes = {'image_width': WIDTH, 'image_height': HEIGHT}
        node = start_node('ros4hri_bridge', sizes | parameters, arguments=arguments)
        probe.wait_for_listener(humans.skeletons, humans.states)
        return node

    return start
