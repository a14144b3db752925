# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Several people before the fusion node: a state for each, and the voice is of whom the parameter says."""
import pytest
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from std_msgs.msg import String
from support.fusion import END, MICROPHONE, Fusion, audio, body, text

from smern_ros import msg
from smern_ros.emotion.active_speaker import EXTERNAL
from smern_ros.ros import qos, topics
from smern_ros.ros.messages import header
from smern_ros.spec import AUDIO, SKELETON, TEXT

pytestmark = pytest.mark.ros

BODIES = body('near', extent=0.3), body('far', extent=0.1, seed=5)


@pytest.fixture
def fusion(probe, start_node):
    return Fusion(probe, start_node, {'text_timeout': 20.0, 'skeleton_timeout': 10.0})


def utter(fusion, utterance_id):
    """An utterance with all its evidence and both bodies. :return: its final state."""
    fusion.announce(msg.Utterance.TENTATIVE, utterance_id)
    fusion.hear(audio(utterance_id))
    fusion.read(text(utterance_id=utterance_id))
    fusion.see(*BODIES, utterance_id=utterance_id)
    fusion.announce(msg.Utterance.ENDED, utterance_id)
    return fusion.final(utterance_id, timeout=60.0)


def choose(fusion, speaker):
    """Changes the parameter while the node runs."""
    value = Parameter('speaker', value=speaker).to_parameter_msg()
    answer = fusion.probe.call(SetParameters, 'fusion/set_parameters', parameters=[value])
    assert answer.results[0].successful, answer.results[0].reason


def test_everybody_in_view_has_a_state_and_who_speaks_only_that_of_the_utterance(fusion):
    fusion.probe.wait_for(
        lambda: fusion.see(*BODIES, utterance_id='') or {s.person_id for s in fusion.states} == {'near', 'far'},
        'a state for each',
    )
    one, other = ({tuple(s.probabilities) for s in fusion.states if s.person_id == p} for p in ('near', 'far'))
    assert not one & other
    assert not any(s.is_final or s.utterance_id for s in fusion.states)

    def speak_and_move():
        fusion.activity.publish(msg.VoiceActivity(header=header(END, MICROPHONE), is_speaking=True, probability=0.9))
        fusion.see(*BODIES, utterance_id='')

    fusion.wait_until_heard(topics.IS_SPEAKING, speak_and_move)
    told = len(fusion.states)
    fusion.probe.wait_for(lambda: speak_and_move() or len(fusion.states) > told + 3, 'more states')
    assert {s.person_id for s in fusion.states[told:]} == {'far'}


def test_the_voice_is_of_the_nearest_of_the_one_chosen_or_of_whom_others_name(fusion):
    assert utter(fusion, 'u1').person_id == 'near'
    choose(fusion, 'far')
    assert utter(fusion, 'u2').person_id == 'far'

    choose(fusion, EXTERNAL)
    assert utter(fusion, 'u3').person_id == 'near'  # nobody is named yet
    names = fusion.probe.publisher(String, topics.SPEAKER, qos.LATCHED)
    fusion.probe.wait_for_listener(names)

    def name(person_id):
        fusion.wait_until_heard(topics.SPEAKER, lambda: names.publish(String(data=person_id)))

    name('far')
    assert utter(fusion, 'u4').person_id == 'far'
    # Another begins to speak before the movement of this utterance has come.
    fusion.announce(msg.Utterance.TENTATIVE, 'u5')
    reports = len(fusion.health)
    fusion.probe.wait_for(lambda: len(fusion.health) >= reports + 2, 'the node to have taken it')
    name('near')
    fusion.hear(audio('u5'))
    fusion.read(text(utterance_id='u5'))
    fusion.see(*BODIES, utterance_id='u5')
    fusion.announce(msg.Utterance.ENDED, 'u5')
    assert fusion.final('u5', timeout=60.0).person_id == 'far'
    assert utter(fusion, 'u6').person_id == 'near'
    # Somebody who is known by voice alone.
    name('anna')
    heard = utter(fusion, 'u7')
    assert heard.person_id == 'anna' and list(heard.modalities) == [AUDIO, TEXT]
    fusion.probe.wait_for(
        lambda: fusion.node.said("speaker 'anna' is not in view; in view: near far"), 'why no movement counts'
    )
    # Who named them may be gone.
    fusion.probe.node.destroy_publisher(names)
    fusion.probe.wait_for(lambda: fusion.node.said('no publisher; using the nearest person'), 'it to be missed')
    last = utter(fusion, 'u8')
    assert last.person_id == 'near' and list(last.modalities) == [AUDIO, TEXT, SKELETON]
    names = fusion.probe.publisher(String, topics.SPEAKER, qos.EVIDENCE)  # another does not keep what it said
    fusion.probe.wait_for_listener(names)
    name('far')
    assert utter(fusion, 'u9').person_id == 'far'
    name('')
    assert utter(fusion, 'u10').person_id == 'near'
