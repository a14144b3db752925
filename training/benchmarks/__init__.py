# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the encoders are worth on open corpora, on people and contents never learnt from: docs/results.md.

`experiment` is the contract: each source of data is a module beside it, listed in `registry`, that says which
experiments there are. They are carried out in several processes, kept as they end, and written down by `report`.
"""
