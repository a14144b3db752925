"""Persons as ROS4HRI has them, and what each of them and of their faces seems to feel."""
from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from std_msgs.msg import Bool, String

from smern_ros import msg
from smern_ros.hri.ids import Changes, Roster, require_legal
from smern_ros.hri.people import BODY, FACE, VOICE, PersonAssignments
from smern_ros.ros import qos, topics
from smern_ros.ros.dynamic_topics import DynamicEndpoints, warn_of_other_publishers
from smern_ros.ros.hri.messages import HriMessages
from smern_ros.ros.latched_input import LatchedSubscription
from smern_ros.ros.messages import header
from smern_ros.ros.node import SmernNode

PERSONS = f'{topics.HUMANS}/persons'
FACES = f'{topics.HUMANS}/faces'
OWN, TRACKED = MANAGERS = ('own', 'tracked')


@dataclass
class _Person:
    lines: DynamicEndpoints
    feel: Callable[[Any], None]                # publishes the person's expression
    face: str = ''                             # its id, where it is known
    face_lines: DynamicEndpoints | None = None
    show: Callable[[Any], None] | None = None  # publishes the face's expression


class Persons:
    """Publishes persons/<id>/expression and faces/<id>/expression, and takes persons/<id>/{face,body,voice}_id.

    With persons 'own' each body of ours is an anonymous person of the same id, and this node publishes persons/tracked,
    persons/known, persons/<id>/anonymous and persons/<id>/body_id. With 'tracked' a person manager does.
    """

    def __init__(
        self, node: SmernNode, hri: HriMessages, people: PersonAssignments, on_change: Callable[[], None]
    ) -> None:
        """:param on_change: called when a person's parts are others than before."""
        self._node, self._hri, self._people, self._on_change = node, hri, people, on_change
        self._own = node.value('persons') == OWN
        self.roster = Roster('persons', limit=node.value('max_ids'))
        self._persons: dict[str, _Person] = {}
        self._manager = None if self._own else LatchedSubscription(
            node, hri.IdsList, f'{PERSONS}/tracked', lambda message: self._look(message.ids), lambda: self._look(())
        )
        ours = ('tracked', 'known') if self._own else ()
        self._lists = [node.output(hri.IdsList, f'{PERSONS}/{name}', qos.LATCHED) for name in ours]
        node.listen(msg.EmotionState, topics.EMOTION_STATE, self._take_state, qos.EVIDENCE)
        self._voice: Callable[[], str] = lambda: ''

    def heard_by(self, voice: Callable[[], str]) -> None:
        """Who tells whose voice is heard: a state without a body is of that person."""
        self._voice = voice

    def start(self) -> None:
        if self._manager is not None:
            self._manager.start()

    def stop(self) -> None:
        self._follow(Changes((), self.roster.clear(), ()))
        self._publish_lists()

    def tell(self) -> None:
        """Once a second."""
        if self._manager is not None:
            self._manager.follow()
        else:
            warn_of_other_publishers(self._node, f'{PERSONS}/tracked', f'set persons {TRACKED}')
        self._publish_lists()

    def bodies_changed(self, changes: Changes) -> None:
        """Those are the persons, if there is no other person manager."""
        if self._own:
            known = (*(p for p in self.roster.ids if p not in changes.left), *changes.came)
            self._look(known)

    # --- topics -----------------------------------------------------------------------------------------------

    def _take_part(self, person: str, part: str, message: String) -> None:
        if message.data:
            require_legal(message.data)
        self._people.match(person, part, message.data)
        self._follow_faces()
        self._on_change()

    def _take_state(self, message: msg.EmotionState) -> None:
        came = time.monotonic()
        expression = self._hri.expression(message)
        if message.person_id:
            whose = self._people.whose(BODY, message.person_id)
        else:
            whose = self._people.whose(VOICE, self._voice())
        person = self._persons.get(whose or '')
        if person is None:  # nobody's that is tracked
            self._node.health.dropped()
            return
        person.feel(expression)
        if person.show is not None:
            person.show(expression)
        self._node.health.record_latency(time.monotonic() - came)

    # --- coming and going -------------------------------------------------------------------------------------

    def _look(self, ids: Sequence[str]) -> None:
        changes = self.roster.look(ids, time.monotonic())
        for reason in changes.refused:
            self._node.log_error(PERSONS, reason)
        self._follow(changes)
        if changes.came or changes.left:
            self._publish_lists()
            self._on_change()

    def _follow(self, changes: Changes) -> None:
        for person in changes.left:
            self._people.forget(person)
            gone = self._persons.pop(person)
            gone.lines.close()
            if gone.face_lines is not None:
                gone.face_lines.close()
        for person in changes.came:
            self._persons[person] = self._meet(person)

    def _meet(self, person: str) -> _Person:
        lines, place = DynamicEndpoints(self._node), f'{PERSONS}/{person}'
        feel = lines.output(self._hri.Expression, f'{place}/expression', qos.LATCHED, label=f'{PERSONS}/*/expression')
        if self._own:
            self._people.match(person, BODY, person)
            lines.output(Bool, f'{place}/anonymous', qos.LATCHED, label=f'{PERSONS}/*/anonymous')(Bool(data=True))
            lines.output(String, f'{place}/body_id', qos.LATCHED, label=f'{PERSONS}/*/body_id')(String(data=person))
        for part in (FACE, VOICE) if self._own else (FACE, BODY, VOICE):
            lines.listen(
                String, f'{place}/{part}_id', partial(self._take_part, person, part),
                qos.LATCHED, label=f'{PERSONS}/*/{part}_id',
            )
        return _Person(lines, feel)

    def _follow_faces(self) -> None:
        """A publisher for each face that is known; a face may pass from one person to another."""
        for name, person in self._persons.items():
            face = self._people.part(name, FACE)
            if face == person.face:
                continue
            if person.face_lines is not None:
                person.face_lines.close()
            person.face, person.face_lines, person.show = face, None, None
            if face:
                person.face_lines = DynamicEndpoints(self._node)
                person.show = person.face_lines.output(
                    self._hri.Expression, f'{FACES}/{face}/expression', qos.LATCHED, label=f'{FACES}/*/expression'
                )

    def _publish_lists(self) -> None:
        now = header(self._node.get_clock().now().nanoseconds, '')
        for tracked in self._lists:
            tracked.publish(self._hri.ids(self.roster.ids, now))

