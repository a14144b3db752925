"""ros4hri_bridge as the process it is, among nodes that speak ROS4HRI (REP-155)."""
import array
import math

import numpy as np
import psutil
import pytest
from support import interfaces
from support.lifecycle import Manager

pytest.importorskip('rclpy')
pytestmark = [pytest.mark.ros, pytest.mark.timeout(900)]  # the first of them compiles messages

from rcl_interfaces.srv import SetParameters  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402
from std_msgs.msg import Bool, String  # noqa: E402

from smern_ros import msg  # noqa: E402
from smern_ros.hri.mapping import Point  # noqa: E402
from smern_ros.nodes import qos, topics  # noqa: E402
from smern_ros.nodes.messages import header, skeletons_to_message, to_ns, to_time  # noqa: E402
from smern_ros.spec import LABELS, Joint  # noqa: E402
from smern_ros.values import SECOND, Skeleton  # noqa: E402

START = 1_000 * SECOND
WIDTH, HEIGHT = 640, 480


@pytest.fixture
def hri(give_interfaces):
    """The messages of ROS4HRI, which the nodes that are started find, too."""
    give_interfaces(interfaces.ROS4HRI, interfaces.ROS_DRIVERS, here=True)
    import hri_msgs.msg

    return hri_msgs.msg


class Humans:
    """The other nodes of a robot: ours, a person manager and a microphone array that tells voices apart."""

    def __init__(self, probe, hri) -> None:
        self.probe, self._hri = probe, hri
        self._publishers = {}
        self._heard = {}
        self.skeletons = probe.publisher(msg.SkeletonArray, topics.SKELETON_RAW, qos.STREAM)
        self.states = probe.publisher(msg.EmotionState, topics.EMOTION_STATE, qos.STATE)
        self.images = probe.publisher(Image, topics.IMAGE, qos.LOSSLESS_IMAGES)
        self.tracked = {kind: self.collect(hri.IdsList, f'{kind}/tracked') for kind in ('bodies', 'persons')}

    def collect(self, message_type, topic):
        if topic not in self._heard:
            self._heard[topic] = self.probe.collect(message_type, f'/humans/{topic}', qos.STREAM)
        return self._heard[topic]

    def say(self, topic, message, profile=qos.LATCHED):
        """Publishes below /humans, once there is somebody to hear it."""
        if topic not in self._publishers:
            self._publishers[topic] = self.probe.publisher(type(message), f'/humans/{topic}', profile)
            self.probe.wait_for_listener(self._publishers[topic])
        self._publishers[topic].publish(message)

    def list(self, kind, *ids):
        publisher = self._publishers.get(kind)
        if publisher is None:
            publisher = self._publishers[kind] = self.probe.publisher(
                self._hri.IdsList, f'/humans/{kind}/tracked', qos.LATCHED
            )
        publisher.publish(self._hri.IdsList(header=header(START, ''), ids=list(ids)))

    def show(self, *people, at=START):
        """A frame with these people in it."""
        positions = np.tile(np.float32([320, 120]), (10, 1))
        positions[Joint.LEFT_WRIST] = 480, 360
        positions[Joint.RIGHT_WRIST] = np.nan
        bodies = [
            Skeleton(at, name, np.zeros((10, 3), np.float32), np.full(10, 0.75, np.float32), 0.9, 0.2, positions)
            for name in people
        ]
        self.skeletons.publish(skeletons_to_message(bodies, header(at, 'camera')))

    def show_until(self, condition, what, *people):
        """Frames with these people, again and again."""
        def met():
            self.show(*people)
            return condition()

        return self.probe.wait_for(met, what, 60.0)

    def feel(self, person, label='happy', at=START + SECOND):
        self.states.publish(msg.EmotionState(
            header=header(at, 'camera'), person_id=person, labels=list(LABELS), label=label, confidence=0.625,
            probabilities=[0.625 if name == label else 0.125 for name in LABELS],
        ))

    def ids(self, kind):
        return list(self.tracked[kind][-1].ids) if self.tracked[kind] else None


@pytest.fixture
def humans(probe, hri):
    return Humans(probe, hri)


@pytest.fixture
def bridge(humans, probe, start_node):
    """Starts the node and waits until it listens."""
    def start(**parameters):
        node = start_node('ros4hri_bridge', {'image_width': WIDTH, 'image_height': HEIGHT, **parameters})
        probe.wait_for_listener(humans.skeletons, humans.states)
        return node

    return start


# --- out of the graph ---------------------------------------------------------------------------------------------


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
        Point.LEFT_WRIST, Point.NOSE, Point.RIGHT_WRIST, Point.LEFT_ANKLE
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
    probe.wait_for(lambda: node.said("the id '7up' cannot be part of a topic name"), 'the reason')
    probe.wait_for(lambda: node.said("'p3' is left out: 2 bodies are tracked already"), 'the other reason')
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

    wrist = probe.wait_for(shown, 'the points', 60.0)[-1].skeleton[Point.LEFT_WRIST]
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


# --- into the graph -----------------------------------------------------------------------------------------------


def test_the_sound_and_the_activity_of_the_one_who_speaks_are_passed_on(probe, humans, bridge):
    from audio_common_msgs.msg import AudioData, AudioDataStamped

    node = bridge(take_audio=True, take_is_speaking=True, audio_type='AudioDataStamped')
    sounds = probe.collect(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
    detected = probe.collect(msg.VoiceActivity, topics.DETECTED, qos.EVIDENCE)
    probe.wait_for_speaker(topics.AUDIO, topics.DETECTED)
    humans.list('voices', 'v1', 'v2')
    came_ns = probe.node.get_clock().now().nanoseconds

    def speak(voice, loud):
        data = AudioData(data=array.array('B', np.full(1600, loud, '<i2').tobytes()))
        humans.say(f'voices/{voice}/audio', AudioDataStamped(header=header(START, ''), audio=data), qos.AUDIO)

    def heard(voice, loud):
        """Both make a sound until this one's is passed on."""
        sounds.clear()

        def passed():
            speak('v1', 1)
            speak('v2', 2)
            return [s for s in sounds if s.header.frame_id == voice]

        found = probe.wait_for(passed, f'the sound of {voice}', 60.0)[0]
        assert found.data == array.array('B', np.full(1600, loud, '<i2').tobytes())
        assert (to_ns(found.header.stamp), found.sample_rate, found.encoding) == (START, 16_000, 's16le')

    def told(voice, speaks):
        humans.say(f'voices/{voice}/is_speaking', Bool(data=speaks), qos.STREAM)
        at = probe.wait_for(
            lambda: next((d for d in detected if (d.header.frame_id, d.is_speaking) == (voice, speaks)), None),
            f'{voice} to be told', 60.0,
        )
        assert to_ns(at.header.stamp) > came_ns

    heard('v1', 1)
    told('v2', True)
    heard('v2', 2)
    sounds.clear()
    humans.say('voices/v1/is_speaking', Bool(data=True), qos.STREAM)
    heard('v2', 2)
    assert {s.header.frame_id for s in sounds} == {'v2'}  # who began to speak first is listened to, to the end
    humans.say('voices/v2/is_speaking', Bool(data=False), qos.STREAM)
    told('v1', True)
    told('v1', False)
    assert '[ERROR]' not in node.output


def test_words_that_others_understood_come_with_the_utterance_that_they_are_of(probe, humans, hri, bridge):
    bridge(take_speech=True)
    utterances = probe.publisher(msg.Utterance, topics.UTTERANCE, qos.EVIDENCE)
    transcripts = probe.collect(msg.Transcript, topics.TRANSCRIPT, qos.EVIDENCE)
    probe.wait_for_listener(utterances)
    probe.wait_for_speaker(topics.TRANSCRIPT)
    humans.list('voices', 'v1')

    def ended():
        """Of two utterances, of which the text is stamped with the first."""
        for name, start_ns in (('u1', START), ('u2', START + 3 * SECOND)):
            utterances.publish(msg.Utterance(
                header=header(start_ns, 'array'), id=name, state=msg.Utterance.ENDED, start=to_time(start_ns),
                end=to_time(start_ns + 2 * SECOND), last_voiced=to_time(start_ns + 2 * SECOND), sample_rate=16_000,
            ))
        humans.say('voices/v1/speech', hri.LiveSpeech(
            header=header(START + SECOND, ''), incremental='der Lap',
        ), qos.EVIDENCE)
        humans.say('voices/v1/speech', hri.LiveSpeech(
            header=header(START + SECOND, ''), final='der Lappen', confidence=0.75, language='de-DE',
        ), qos.EVIDENCE)
        return transcripts

    transcript = probe.wait_for(ended, 'the words', 60.0)[0]
    assert transcript.utterance_id == 'u1' and transcript.is_final
    assert transcript.text.startswith('der Lappen') and 'Lap ' not in transcript.text
    assert (transcript.language, transcript.confidence) == ('de', 0.75)
    assert (to_ns(transcript.start), to_ns(transcript.end)) == (START, START + 2 * SECOND)


def test_sound_without_a_stamp_was_heard_before_it_came(probe, humans, bridge):
    from audio_common_msgs.msg import AudioData

    bridge(take_audio=True)
    sounds = probe.collect(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
    probe.wait_for_speaker(topics.AUDIO)
    humans.list('voices', 'v1')
    began_ns = probe.node.get_clock().now().nanoseconds

    def heard():
        humans.say('voices/v1/audio', AudioData(data=array.array('B', bytes(3200))), qos.AUDIO)
        return sounds

    sound = probe.wait_for(heard, 'the sound', 60.0)[0]
    stamp_ns = to_ns(sound.header.stamp)
    assert began_ns < stamp_ns + SECOND // 10 < probe.node.get_clock().now().nanoseconds
    assert (sound.sample_rate, sound.channels, sound.header.frame_id) == (16_000, 1, 'v1')


def test_whose_voice_is_heard_is_the_speaker(probe, humans, bridge):
    bridge()
    speakers = probe.collect(String, topics.SPEAKER, qos.LATCHED)
    humans.list('voices', 'v1', 'v2')
    both = ('p1', 'p2')
    humans.show_until(lambda: humans.ids('persons') == [*both], 'the persons', *both)
    humans.say('persons/p1/voice_id', String(data='v1'))
    humans.say('persons/p2/voice_id', String(data='v2'))

    def says(voice, person):
        humans.say(f'voices/{voice}/is_speaking', Bool(data=True), qos.STREAM)
        humans.show_until(lambda: speakers and speakers[-1].data == person, f'{person} to be the speaker', *both)
        humans.say(f'voices/{voice}/is_speaking', Bool(data=False), qos.STREAM)

    says('v2', 'p2')
    says('v1', 'p1')
    humans.list('voices')  # the voice is gone, the person is not
    humans.show_until(lambda: not probe.node.count_subscribers('/humans/voices/v1/is_speaking'), 'v1 to end', *both)
    assert speakers[-1].data == 'p1'
    humans.show_until(lambda: speakers[-1].data == '', 'nobody to be the speaker', 'p2')


def test_two_sources_of_sound_are_complained_of(probe, bridge):
    node = bridge(take_audio=True)
    probe.publisher(msg.AudioChunk, topics.AUDIO, qos.AUDIO)
    probe.wait_for(lambda: node.said('both are heard: start no microphone'), 'the complaint', 60.0)


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
    assert 'is not that of ROS4HRI: it lacks Expression.valence' in node.output and 'Vulcanexus' in node.output


def test_without_audio_common_msgs_only_its_sound_is_missed(start_node, give_interfaces, probe):
    give_interfaces(interfaces.ROS4HRI)
    assert start_node('ros4hri_bridge', {'take_audio': True}).wait() == 2
    start_node('ros4hri_bridge')
    probe.wait_for_speaker('/humans/bodies/tracked')
