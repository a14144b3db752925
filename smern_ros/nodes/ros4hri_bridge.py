"""ros4hri_bridge: the graph's people, in the terms of ROS4HRI (REP-155), and ROS4HRI's voices into the graph."""
from __future__ import annotations

import sys

from std_msgs.msg import String

from smern_ros import msg
from smern_ros.hri.ids import Changes
from smern_ros.hri.people import BODY, VOICE, PersonAssignments
from smern_ros.ros import qos, topics
from smern_ros.ros.audio_common import BARE, FORMAT_PARAMETERS, KINDS
from smern_ros.ros.hri.bodies import Bodies
from smern_ros.ros.hri.messages import HriMessages
from smern_ros.ros.hri.persons import MANAGERS, OWN, Persons
from smern_ros.ros.hri.voices import VoiceInputs
from smern_ros.ros.messages import is_tracker_reset
from smern_ros.ros.node import SmernNode, run
from smern_ros.ros.parameters import Parameter


class Ros4HriBridgeNode(SmernNode):
    NAME = 'ros4hri_bridge'
    PARAMETERS = (
        Parameter('persons', OWN, 'own: each body is an anonymous person, and this node lists them; tracked: another '
                                  'node publishes persons/tracked and matches bodies to persons', choices=MANAGERS),
        Parameter('leave_after', 2.0, 's unseen after which somebody has left', (0.1, 60.0), live=True),
        Parameter('max_ids', 20, 'bodies, persons and voices at once, of each; further ones are refused', (1, 100),
                  live=True),
        Parameter('image_width', 0, 'pixels; 0: of the first image', (0, 8192)),
        Parameter('image_height', 0, 'pixels; 0: of the first image', (0, 8192)),
        Parameter('voice', '', 'id of the voice to listen to; empty: of those that are tracked the one that speaks',
                  live=True),
        Parameter('take_audio', False, f"publish the voice's audio on {topics.AUDIO}, in place of a microphone"),
        Parameter('take_is_speaking', False, f"publish the voice's is_speaking on {topics.DETECTED}, in place of our "
                                             'detector: for voice_activity topic of audio_features'),
        Parameter('take_speech', False, f"publish the voices' speech on {topics.TRANSCRIPT}, in place of asr"),
        Parameter('audio_type', BARE, 'of audio_common_msgs: ros-drivers has AudioData (what REP-155 names) and '
                                      'AudioDataStamped, mgonzs13 AudioStamped', choices=KINDS),
        *FORMAT_PARAMETERS,
    )

    def load(self) -> None:
        hri = HriMessages()
        self._people = PersonAssignments()
        self._speaker = ''
        self._bodies = Bodies(self, hri, self._bodies_changed)
        self._persons = Persons(self, hri, self._people, self._choose_speaker)
        self._voices = VoiceInputs(self, hri, self._choose_speaker)
        self._persons.heard_by(lambda: self._voices.voices.heard)
        self._speakers = self.output(String, topics.SPEAKER, qos.LATCHED)
        self.listen(msg.SkeletonArray, topics.PEOPLE, self._take_people, qos.STATE)
        self.every(1.0, self._tell)

    def reconfigure(self) -> None:
        for part in (self._bodies, self._persons, self._voices):
            part.roster.limit = self.value('max_ids')
        self._bodies.roster.leave_after = self.value('leave_after')
        self._voices.want(self.value('voice'))

    def start(self) -> None:
        for part in (self._bodies, self._persons, self._voices):
            part.start()

    def stop(self) -> None:
        for part in (self._voices, self._persons, self._bodies):
            part.stop()
        self._people.clear()
        self._choose_speaker()

    def _tell(self) -> None:
        """Again, for whoever came late or was restarted."""
        self.each('tracked', (self._bodies.tell, self._persons.tell, self._voices.tell), lambda tell: tell())
        for what, roster in (
            ('bodies', self._bodies.roster), ('persons', self._persons.roster), ('voices', self._voices.roster),
        ):
            self.health.set_info(what, ' '.join(roster.ids))
        self.health.set_info('speaker', self._speaker)
        self._choose_speaker()
        self._speakers.publish(String(data=self._speaker))

    def _take_people(self, message: msg.SkeletonArray) -> None:
        """Whose a body is was told of those who had the ids before."""
        if is_tracker_reset(message):
            self._people.forget_parts(BODY)
            self._bodies.all_have_left()

    def _bodies_changed(self, changes: Changes) -> None:
        self._persons.bodies_changed(changes)
        self._choose_speaker()

    def _choose_speaker(self) -> None:
        """The body of the person whose voice is heard. It stays the speaker's until another speaks or it leaves: a
        voice may be gone before what it said is judged."""
        person = self._people.whose(VOICE, self._voices.voices.heard)
        body = self._people.part(person, BODY)
        if not body and self._speaker in self._bodies.roster:
            body = self._speaker
        if body != self._speaker:
            self._speaker = body
            self._speakers.publish(String(data=body))


def main(args: list[str] | None = None) -> int:
    return run(Ros4HriBridgeNode, args)


if __name__ == '__main__':
    sys.exit(main())
