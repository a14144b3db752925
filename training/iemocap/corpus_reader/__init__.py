# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""IEMOCAP: acted English dialogs of two, ten actors in five sessions (Busso et al. 2008). Its licence is USC's.

`read` takes the folder IEMOCAP_full_release as it is unpacked.
"""
from smern_ros.training.iemocap.corpus_reader.corpus_report import CorpusError, CorpusReport, LeftOut, Problem
from smern_ros.training.iemocap.corpus_reader.published import ANNOTATIONS, LABEL_OF, SESSIONS
from smern_ros.training.iemocap.corpus_reader.reader import Corpus, IemocapUtterance, read

__all__ = [
    'ANNOTATIONS', 'LABEL_OF', 'SESSIONS', 'Corpus', 'CorpusError', 'CorpusReport', 'IemocapUtterance', 'LeftOut',
    'Problem', 'read',
]
