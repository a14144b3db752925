"""A table that the paper does not have, in the form of its tables: people of whom nothing was learnt."""
from __future__ import annotations

from smern_ros.training.reproduce.published import TABLES, UAR, WAR, PaperRow, PaperTable

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
