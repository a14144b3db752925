# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tables that the paper does not have, in the form of its tables: people of whom nothing was learnt, and the encoders
of the shipped checkpoint."""
from __future__ import annotations

from smern_ros.training.iemocap.reproduce.published import TABLES, UAR, WAP, WAR, PaperRow, PaperTable

SESSIONS = 'sessions'
PROTOCOLS = {'across_speakers': ('no speaker sharing', '8:0.5:1.5'),
             'leave_one_session_out': ('leave one session out', '7.5:0.5:2')}
"""Of `experiments.protocols`: what each is called, and the ratio of its parts."""
NETWORKS = {'ARE [30]': 'are', 'TRE [30]': 'tre', 'SMACN': 'smacn', 'SMERN-GA': 'smern_ga_whole'}

ROWS = {
    f'{name}, {called}': {'model': model, 'protocol': protocol}
    for name, model in NETWORKS.items() for protocol, (called, _) in PROTOCOLS.items()
}
"""What the run of each row differs in from one of the random protocol."""

_MEASURED_BY_THE_PAPER = {'SMACN, no speaker sharing': TABLES['4'].rows[1].figures}

TABLE = PaperTable(
    SESSIONS, 'speakers never heard and never seen', '', ('Model and division', 'Ratio'), (UAR, WAR),
    tuple(
        PaperRow(name, PROTOCOLS[of['protocol']][1], _MEASURED_BY_THE_PAPER.get(name, {})) for name, of in ROWS.items()
    ),
    'The paper has one of these rows, in table 4. Without speaker sharing the two people of a session are held out and '
    'parted, 1 : 3, into development and test. Leaving one session out, all of it is tested, and what is developed on '
    'is of the others: nothing at all is known of who is tested. But the scripted dialogs are the same in every '
    'session: who reads words has learnt from many of the sentences that are tested. The same networks on people they '
    'know: table 1.',
)

EXTRA = 'extra'
EXTRA_ROWS = {
    f'{name}, {called}': [{'model': model, 'protocol': protocol} for model in models]
    for protocol, called in {'random': 'division of table 1', **{p: c for p, (c, _) in PROTOCOLS.items()}}.items()
    for name, models in {
        'Voice': ('voice',), 'Words': ('words',), 'Voice + words': ('voice', 'words'),
        'Voice + words + SMACN': ('voice', 'words', 'smacn'),
    }.items()
}
"""What the runs of each row differ in from those of the random protocol."""
_LETTERS = {'voice': 'A', 'words': 'T', 'smacn': 'S'}

EXTRA_TABLE = PaperTable(
    EXTRA, "pretrained encoders, which are not the paper's", '', ('Model and division', 'Modality'), (WAP, UAR, WAR),
    tuple(PaperRow(name, ' + '.join(_LETTERS[of['model']] for of in parts), {}) for name, parts in EXTRA_ROWS.items()),
    'No row here is of the paper, and no other table depends on these. They show what pretrained features are worth: '
    'the encoders of the shipped checkpoint, trained on this corpus alone. Voice: a linear layer on the pooled output '
    "of Whisper's encoder (tiny.en), MFCC and prosody. Words: a fully connected layer on the pooled word vectors of "
    'all-MiniLM-L6-v2. Of several together the log-probabilities are added. The networks of the paper on the same '
    'folds: table 1, and the one of speakers never heard.',
)
