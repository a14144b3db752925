"""The fusion node judges the body of whoever speaks, by another node's word."""
import pytest
from std_msgs.msg import String
from support.fusion import Fusion, body

from smern_ros.nodes import qos, topics
from smern_ros.skeleton.speaker import NAMED

pytestmark = pytest.mark.ros


def test_who_is_named_is_judged_though_somebody_is_nearer_and_the_nearest_when_nobody_is_named(probe, start_node):
    fusion = Fusion(probe, start_node, {'speaker': NAMED})
    speakers = probe.publisher(String, topics.SPEAKER, qos.LATCHED)
    probe.wait_for_listener(speakers)

    def judged() -> str:
        fusion.see(body('near', extent=0.4), body('far', extent=0.2), utterance_id='')
        return fusion.states[-1].person_id if fusion.states else ''

    probe.wait_for(lambda: judged() == 'near', 'the nearest to be judged', 60.0)
    speakers.publish(String(data='far'))
    probe.wait_for(lambda: judged() == 'far', 'the speaker to be judged', 60.0)
    speakers.publish(String(data=''))
    probe.wait_for(lambda: judged() == 'near', 'the nearest to be judged again', 60.0)
