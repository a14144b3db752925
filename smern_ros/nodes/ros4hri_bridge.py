# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""ros4hri_bridge: the graph's people, in the terms of ROS4HRI (REP-155), and ROS4HRI's voices into the graph."""
from __future__ import annotations

import sys

from std_msgs.msg import String

from smern_ros import msg
from smern_ros.hri.ids import Changes
from smern_ros.hri.person_assignments import BODY, VOICE, PersonAssignments
from smern_ros.ros import qos, topics
from smern_ros.ros.audio_common import BARE, FORMAT_PARAMETERS, KINDS
from smern_ros.ros.hri.bodies import Bodies
from smern_ros.ros.hri.messages import HriMessages
from smern_ros.ros.hri.persons import MANAGERS, OWN, Persons
from smern_ros.ros.hri.voices import VoiceInputs
from smern_ros.ros.main import run
from smern_ros.ros.messages import is_tracker_reset
from smern_ros.ros.node import SmernNode
from smern_ros.ros.parameters import Parameter


class Ros4HriBridgeNode(SmernNode):
    NAME = 'ros4hri_bridge'
    PARAMETERS = (
        Parameter('persons', OWN, 'own: each body is an anonymous person, listed by this node; tracked: another '
                                  'node publishes persons/tracked and matches bodies to persons', choices=MANAGERS),
        Parameter('leave_after', 2.0, 's without detection after which a body is removed', (0.1, 60.0), live=True),
        Parameter('max_ids', 20, 'maximum number of bodies, of persons and of voices', (1, 100), live=True),
        Parameter('image_width', 0, 'pixels; 0: from the first image', (0, 8192)),
        Parameter('image_height', 0, 'pixels; 0: from the first image', (0, 8192)),
        Parameter('voice', '', 'id of the voice to use; empty: the tracked voice that speaks', live=True),
        Parameter('take_audio', False, f'publish the audio of the voice on {topics.AUDIO}, instead of a microphone'),
        Parameter('take_is_speaking', False, f'publish is_speaking of the voice on {topics.DETECTED}, for '
                                             'audio_features with voice_activity: topic'),
        Parameter('take_speech', False, f'publish the speech of the voices on {topics.TRANSCRIPT}, instead of asr'),
        Parameter('audio_type', BARE, 'message type of audio_common_msgs: AudioData (REP-155), AudioDataStamped '
                                      '(ros-drivers) or AudioStamped (mgonzs13)', choices=KINDS),
        *FORMAT_PARAMETERS,
    )

    def load(self) -> None:
        hri = HriMessages()
        self._people = PersonAssignments()
        self._speaker = ''
        self._bodies = Bodies(self, hri, self._bodies_changed)
        self._persons = Persons(self, hri, self._people, self._choose_speaker)
        self._voices = VoiceInputs(self, hri, self._choose_speaker)
        self._persons.set_voice_source(lambda: self._voices.voices.active)
        self._speakers = self.add_publisher(String, topics.SPEAKER, qos.LATCHED)
        self.add_subscription(msg.SkeletonArray, topics.PEOPLE, self._on_people, qos.STATE)
        self.add_timer(1.0, self._refresh)

    def reconfigure(self) -> None:
        for part in (self._bodies, self._persons, self._voices):
            part.roster.limit = self.value('max_ids')
        self._bodies.roster.leave_after = self.value('leave_after')
        self._voices.select(self.value('voice'))

    def start(self) -> None:
        for part in (self._bodies, self._persons, self._voices):
            part.start()

    def stop(self) -> None:
        for part in (self._voices, self._persons, self._bodies):
            part.stop()
        self._people.clear()
        self._choose_speaker()

    def _refresh(self) -> None:
        """Once a second, for nodes that start later."""
        parts = (self._bodies.refresh, self._persons.refresh, self._voices.refresh)
        self.each('tracked', parts, lambda refresh: refresh())
        for what, roster in (
            ('bodies', self._bodies.roster), ('persons', self._persons.roster), ('voices', self._voices.roster),
        ):
            self.health.set_info(what, ' '.join(roster.ids))
        self.health.set_info('speaker', self._speaker)
        self._choose_speaker()
        self._speakers.publish(String(data=self._speaker))

    def _on_people(self, message: msg.SkeletonArray) -> None:
        """After a reset of the tracker the assignments are of other bodies."""
        if is_tracker_reset(message):
            self._people.forget_parts(BODY)
            self._bodies.remove_all()

    def _bodies_changed(self, changes: Changes) -> None:
        self._persons.bodies_changed(changes)
        self._choose_speaker()

    def _choose_speaker(self) -> None:
        """Publishes the body of the active voice's person. It stays the speaker until another one speaks or the body
        is removed: a voice may be removed before its utterance has a state."""
        person = self._people.person_of(VOICE, self._voices.voices.active)
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
