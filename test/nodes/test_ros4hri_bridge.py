# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""ros4hri_bridge as the process it is: people, bodies and feelings for nodes that speak ROS4HRI (REP-155)."""
import math

import psutil
import pytest
from support import interfaces
from support.lifecycle import Manager

pytest.importorskip('rclpy')
pytestmark = [pytest.mark.ros, pytest.mark.timeout(900)]  # the first of them compiles messages

from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from rcl_interfaces.srv import SetParameters  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402
from std_msgs.msg import Bool, String  # noqa: E402
from support.humans import START  # noqa: E402

from smern_ros import msg  # noqa: E402
from smern_ros.hri.mapping import OpenPosePoint  # noqa: E402
from smern_ros.ros import qos, topics  # noqa: E402
from smern_ros.ros.messages import header, to_ns  # noqa: E402
from smern_ros.spec import LABELS  # noqa: E402
from smern_ros.values import SECOND  # noqa: E402


def test_who_is_seen_is_tracked_with_points_and_feelings_and_then_has_left(probe, humans, hri, bridge):
    node = bridge(leave_after=1.0)
    points = humans.collect(hri.Skeleton2D, 'bodies/p1/skeleton2d')
    feelings = humans.collect(hri.Expression, 'persons/p1/expression')
    anonymous = probe.collect(Bool, '/humans/persons/p1/anonymous', qos.LATCHED)
    bodies = probe.collect(String, '/humans/persons/p1/body_id', qos.LATCHED)
    humans.show_until(lambda: points and anonymous and bodies, 'the person', 'p1', 'p2')
    probe.wait_for(lambda: humans.ids('bodies') == humans.ids('persons') == ['p1', 'p2'], 'both in the lists')
    assert anonymous[-1].data and bodies[-1].data == 'p1'

    body = points[-1]
    assert to_ns(body.header.stamp) == START and body.header.frame_id == 'camera'
    wrist, nose, hidden, ankle = (body.skeleton[p] for p in (
        OpenPosePoint.LEFT_WRIST, OpenPosePoint.NOSE, OpenPosePoint.RIGHT_WRIST, OpenPosePoint.LEFT_ANKLE
    ))
    assert (wrist.x, wrist.y, wrist.c) == (0.75, 0.75, 0.75)
    assert (nose.x, nose.y) == (0.5, 0.25)
    assert hidden.c == ankle.c == 0

    def felt():
        humans.show('p1', 'p2')
        humans.feel('p1', 'happy')
        return feelings

    felt = probe.wait_for(felt, 'an expression', 60.0)[-1]
    assert felt.expression == hri.Expression.HAPPY and felt.confidence == 0.625
    assert to_ns(felt.header.stamp) == START + SECOND
    assert math.isnan(felt.valence) and math.isnan(felt.arousal)

    humans.show_until(lambda: humans.ids('persons') == ['p1'], 'p2 to leave', 'p1')
    probe.wait_for(lambda: humans.ids('bodies') == humans.ids('persons') == [], 'p1 to leave')  # the camera is silent
    for topic in ('bodies/p1/skeleton2d', 'persons/p1/expression', 'persons/p1/body_id'):
        probe.wait_for(lambda t=topic: not probe.node.count_publishers(f'/humans/{t}'), f'the end of {topic}')
    assert '[ERROR]' not in node.output


def test_the_words_for_feelings_are_constants_of_ros4hri(hri):
    from smern_ros.hri.mapping import EXPRESSIONS

    constants = {getattr(hri.Expression, name) for name in ('NEUTRAL', 'ANGRY', 'SAD', 'HAPPY')}
    assert set(EXPRESSIONS) == set(LABELS) and set(EXPRESSIONS.values()) <= constants


def test_the_face_of_a_person_shows_what_it_feels_from_when_it_is_known(probe, humans, hri, bridge):
    bridge()
    humans.show_until(lambda: humans.ids('persons') == ['p1'], 'the person', 'p1')
    faces = humans.collect(hri.Expression, 'faces/f1/expression')
    humans.say('persons/p1/face_id', String(data='f1'))

    def shown():
        humans.show('p1')
        humans.feel('p1', 'sad')
        return faces

    assert probe.wait_for(shown, 'the expression of the face', 60.0)[-1].expression == 'sad'
    humans.say('persons/p1/face_id', String(data=''))
    humans.show_until(lambda: not probe.node.count_publishers('/humans/faces/f1/expression'), 'the end of f1', 'p1')


def test_with_a_person_manager_feelings_are_those_of_its_persons(probe, humans, hri, bridge):
    humans.list('persons', 'anna', 'ben')  # before the bridge is there
    bridge(persons='tracked')
    anna = humans.collect(hri.Expression, 'persons/anna/expression')
    ben = humans.collect(hri.Expression, 'persons/ben/expression')
    humans.say('persons/anna/body_id', String(data='p2'))

    def told():
        humans.show('p1', 'p2')
        humans.feel('p1', 'angry')
        humans.feel('p2', 'neutral')
        return anna

    assert probe.wait_for(told, "anna's expression", 60.0)[-1].expression == 'neutral'
    assert not ben and not probe.node.count_publishers('/humans/persons/p2/expression')
    humans.list('persons', 'ben')
    probe.wait_for(lambda: not probe.node.count_publishers('/humans/persons/anna/expression'), 'anna to leave')


def test_after_a_restart_of_pose_estimation_a_body_is_nobodys_until_it_is_matched_again(probe, humans, hri, bridge):
    humans.list('persons', 'anna')
    bridge(persons='tracked', leave_after=60.0)
    anna = humans.collect(hri.Expression, 'persons/anna/expression')
    begins = probe.publisher(msg.SkeletonArray, topics.PEOPLE, qos.STATE)
    probe.wait_for_listener(begins)
    humans.say('persons/anna/body_id', String(data='p1'))

    def told(label):
        humans.show('p1')
        humans.feel('p1', label)
        return any(heard.expression == label for heard in anna)

    probe.wait_for(lambda: told('angry'), "anna's expression", 60.0)
    begins.publish(msg.SkeletonArray())
    probe.wait_for(lambda: humans.ids('bodies') == [], 'all bodies to leave')
    for _ in range(5):
        told('happy')
    humans.say('persons/anna/body_id', String(data='p1'))
    probe.wait_for(lambda: told('sad'), "anna's expression", 60.0)
    assert not any(heard.expression == 'happy' for heard in anna)


def test_ids_that_no_topic_can_bear_and_too_many_of_them_are_refused(probe, humans, bridge):
    node = bridge(max_ids=2)
    humans.show_until(lambda: humans.ids('bodies') == ['p1', 'p2'], 'two bodies', '7up', 'a/b', 'p1', 'p2', 'p3')
    probe.wait_for(lambda: node.said("ignoring id '7up': not a valid topic name token"), 'the reason')
    probe.wait_for(lambda: node.said("ignoring 'p3': 2 bodies are tracked already"), 'the other reason')
    assert probe.node.count_publishers('/humans/bodies/p3/skeleton2d') == 0
    more = Parameter('max_ids', value=3).to_parameter_msg()
    assert probe.call(SetParameters, 'ros4hri_bridge/set_parameters', parameters=[more]).results[0].successful
    humans.show_until(lambda: humans.ids('bodies') == ['p1', 'p2', 'p3'], 'the third', 'p1', 'p2', 'p3')


def test_the_size_of_the_picture_is_that_of_the_first(probe, humans, hri, start_node):
    start_node('ros4hri_bridge')
    probe.wait_for_listener(humans.skeletons, humans.images)
    points = humans.collect(hri.Skeleton2D, 'bodies/p1/skeleton2d')

    def shown():
        humans.images.publish(Image(header=header(START, 'camera'), width=960, height=720, encoding='bgr8'))
        humans.show('p1')
        return points

    wrist = probe.wait_for(shown, 'the points', 60.0)[-1].skeleton[OpenPosePoint.LEFT_WRIST]
    assert (wrist.x, wrist.y) == (0.5, 0.5)
    probe.wait_for(lambda: not humans.images.get_subscription_count(), 'it to want no more pictures')


def test_put_to_sleep_it_says_that_all_have_left_and_awake_that_they_are_there(probe, humans, start_node):
    start_node('ros4hri_bridge', {'autostart': False})
    node = Manager(probe, 'ros4hri_bridge')
    node.configure()
    node.activate()
    humans.show_until(lambda: humans.ids('bodies') == ['p1'], 'the body', 'p1')
    node.deactivate()
    probe.wait_for(lambda: humans.ids('bodies') == humans.ids('persons') == [], 'empty lists')
    node.cleanup()
    node.configure()
    node.activate()
    humans.show_until(lambda: humans.ids('persons') == ['p1'], 'the person again', 'p1')


def test_of_people_who_come_and_go_nothing_is_kept(probe, humans, hri, bridge):
    """Each has topics of their own, which end with them."""
    node = bridge(persons='tracked', take_is_speaking=True)
    memory = []
    for k in range(150):
        humans.list('persons', f'a{k}')
        humans.list('voices', f'v{k}')
        names = f'/humans/persons/a{k}/expression', f'/humans/voices/v{k}/is_speaking'
        probe.wait_for(lambda names=names: probe.node.count_publishers(names[0])
                       and probe.node.count_subscribers(names[1]), f'the topics of {names}', 60.0)
        if k % 50 == 49:
            memory.append(psutil.Process(node.pid).memory_full_info().uss / 2**20)
    assert memory[-1] - memory[0] < 3.0, memory
    ours = [name for name, _ in probe.node.get_publisher_names_and_types_by_node('ros4hri_bridge', '/')]
    assert [name for name in ours if '/persons/a' in name] == ['/humans/persons/a149/expression']


def test_how_long_a_message_takes_is_told(probe, humans, bridge):
    bridge()
    health = probe.collect(DiagnosticArray, topics.DIAGNOSTICS, qos.STREAM)
    humans.show_until(lambda: any(v.value for report in health for status in report.status for v in status.values
                                  if v.key == 'latency max [ms]'), 'a latency', 'p1')


# --- other packages -----------------------------------------------------------------------------------------------


def test_without_hri_msgs_it_says_what_to_install(start_node):
    node = start_node('ros4hri_bridge')
    assert node.wait() == 2
    assert 'hri_msgs of ROS4HRI is not installed' in node.output and 'ros-$ROS_DISTRO-hri-msgs' in node.output
    assert 'Traceback' not in node.output


def test_the_hri_msgs_of_vulcanexus_are_told_apart(start_node, give_interfaces):
    give_interfaces(interfaces.VULCANEXUS)
    node = start_node('ros4hri_bridge')
    assert node.wait() == 2
    assert 'is not the package of ROS4HRI: it lacks Expression.valence' in node.output and 'Vulcanexus' in node.output


def test_without_audio_common_msgs_only_its_sound_is_missed(start_node, give_interfaces, probe):
    give_interfaces(interfaces.ROS4HRI)
    assert start_node('ros4hri_bridge', {'take_audio': True}).wait() == 2
    start_node('ros4hri_bridge')
    probe.wait_for_speaker('/humans/bodies/tracked')
