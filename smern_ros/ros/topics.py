# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Names of topics and services, relative so that namespaces and remapping work."""
IMAGE = 'image_raw'
IMAGE_COMPRESSED = 'image_raw/compressed'
AUDIO = 'audio'
ROBOT_SPEAKING = 'robot_speaking'

PEOPLE = 'people'
SKELETON_RAW = 'skeleton/raw'
SKELETON_FILTERED = 'skeleton/filtered'
SKELETON_WINDOW = 'skeleton/window'
DETECTED = 'speech/detected'
IS_SPEAKING = 'speech/is_speaking'
UTTERANCE = 'speech/utterance'
TRANSCRIPT = 'speech/transcript'
AUDIO_FEATURES = 'audio/features'
SPEAKER = 'speaker'
EMOTION_STATE = 'emotion_state'

FORGET_PERSON = 'forget_person'
LABEL_UTTERANCE = 'label_utterance'
UNDO_ADAPTATION = 'undo_adaptation'
SAVE_ADAPTATION = 'save_adaptation'

MEDIA_FINISHED = 'media/finished'
DIAGNOSTICS = '/diagnostics'
HUMANS = '/humans'  # where REP-155 wants it, in no namespace
