# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""ROS4HRI persons, and the expression of each person and face."""
from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from std_msgs.msg import Bool, String

from smern_ros import msg
from smern_ros.hri.ids import Changes, Roster, require_valid_id
from smern_ros.hri.person_assignments import BODY, FACE, VOICE, PersonAssignments
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
    endpoints: DynamicEndpoints
    publish_expression: Callable[[Any], None]
    face: str = ''  # its id, if known
    face_endpoints: DynamicEndpoints | None = None
    publish_face_expression: Callable[[Any], None] | None = None


class Persons:
    """Publishes persons/<id>/expression and faces/<id>/expression, and takes persons/<id>/{face,body,voice}_id.

    With persons 'own' each body of ours is an anonymous person of the same id, and this node publishes persons/tracked,
    persons/known, persons/<id>/anonymous and persons/<id>/body_id. With 'tracked' a person manager does.
    """

    def __init__(
        self, node: SmernNode, hri: HriMessages, people: PersonAssignments, on_change: Callable[[], None]
    ) -> None:
        """:param on_change: called when the parts of a person change."""
        self._node, self._hri, self._people, self._on_change = node, hri, people, on_change
        self._own = node.value('persons') == OWN
        self.roster = Roster('persons', limit=node.value('max_ids'))
        self._persons: dict[str, _Person] = {}
        self._manager = None if self._own else LatchedSubscription(
            node, hri.IdsList, f'{PERSONS}/tracked',
            lambda message: self._update_ids(message.ids), lambda: self._update_ids(()),
        )
        ours = ('tracked', 'known') if self._own else ()
        self._lists = [node.add_publisher(hri.IdsList, f'{PERSONS}/{name}', qos.LATCHED) for name in ours]
        node.add_subscription(msg.EmotionState, topics.EMOTION_STATE, self._on_state, qos.EVIDENCE)
        self._voice: Callable[[], str] = lambda: ''

    def set_voice_source(self, voice: Callable[[], str]) -> None:
        """:param voice: gives the active voice; a state without a body is assigned to its person."""
        self._voice = voice

    def start(self) -> None:
        if self._manager is not None:
            self._manager.start()

    def stop(self) -> None:
        self._apply(Changes((), self.roster.clear(), ()))
        self._publish_lists()

    def refresh(self) -> None:
        """Once a second."""
        if self._manager is not None:
            self._manager.check_publishers()
        else:
            warn_of_other_publishers(self._node, f'{PERSONS}/tracked', f'set persons {TRACKED}')
        self._publish_lists()

    def bodies_changed(self, changes: Changes) -> None:
        """Without a person manager each body is a person."""
        if self._own:
            known = (*(p for p in self.roster.ids if p not in changes.removed), *changes.added)
            self._update_ids(known)

    # --- topics -----------------------------------------------------------------------------------------------

    def _on_part(self, person: str, part: str, message: String) -> None:
        if message.data:
            require_valid_id(message.data)
        self._people.assign(person, part, message.data)
        self._update_faces()
        self._on_change()

    def _on_state(self, message: msg.EmotionState) -> None:
        received_at = time.monotonic()
        expression = self._hri.expression(message)
        if message.person_id:
            person_id = self._people.person_of(BODY, message.person_id)
        else:
            person_id = self._people.person_of(VOICE, self._voice())
        person = self._persons.get(person_id or '')
        if person is None:  # of no tracked person
            self._node.health.dropped()
            return
        person.publish_expression(expression)
        if person.publish_face_expression is not None:
            person.publish_face_expression(expression)
        self._node.health.record_latency(time.monotonic() - received_at)

    # --- coming and going -------------------------------------------------------------------------------------

    def _update_ids(self, ids: Sequence[str]) -> None:
        changes = self.roster.update(ids, time.monotonic())
        for reason in changes.rejected:
            self._node.log_error(PERSONS, reason)
        self._apply(changes)
        if changes.added or changes.removed:
            self._publish_lists()
            self._on_change()

    def _apply(self, changes: Changes) -> None:
        for person in changes.removed:
            self._people.forget(person)
            gone = self._persons.pop(person)
            gone.endpoints.close()
            if gone.face_endpoints is not None:
                gone.face_endpoints.close()
        for person in changes.added:
            self._persons[person] = self._create(person)

    def _create(self, person: str) -> _Person:
        endpoints, place = DynamicEndpoints(self._node), f'{PERSONS}/{person}'
        publish_expression = endpoints.add_publisher(
            self._hri.Expression, f'{place}/expression', qos.LATCHED, label=f'{PERSONS}/*/expression'
        )
        if self._own:
            self._people.assign(person, BODY, person)
            for message_type, topic, value in ((Bool, 'anonymous', True), (String, 'body_id', person)):
                publish = endpoints.add_publisher(
                    message_type, f'{place}/{topic}', qos.LATCHED, label=f'{PERSONS}/*/{topic}'
                )
                publish(message_type(data=value))
        for part in (FACE, VOICE) if self._own else (FACE, BODY, VOICE):
            endpoints.add_subscription(
                String, f'{place}/{part}_id', partial(self._on_part, person, part),
                qos.LATCHED, label=f'{PERSONS}/*/{part}_id',
            )
        return _Person(endpoints, publish_expression)

    def _update_faces(self) -> None:
        """Keeps a publisher for each known face; a face may move to another person."""
        for name, person in self._persons.items():
            face = self._people.part(name, FACE)
            if face == person.face:
                continue
            if person.face_endpoints is not None:
                person.face_endpoints.close()
            person.face, person.face_endpoints, person.publish_face_expression = face, None, None
            if face:
                person.face_endpoints = DynamicEndpoints(self._node)
                person.publish_face_expression = person.face_endpoints.add_publisher(
                    self._hri.Expression, f'{FACES}/{face}/expression', qos.LATCHED, label=f'{FACES}/*/expression'
                )

    def _publish_lists(self) -> None:
        now = header(self._node.get_clock().now().nanoseconds, '')
        for tracked in self._lists:
            tracked.publish(self._hri.ids(self.roster.ids, now))

