# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The paper's tables 1 to 4 and figures 4 and 5, made from runs of `experiments` and compared with what it reports;
and tables that it does not have.

`published` is what the paper reports, `extra_tables` the tables of ours, `experiment_plan` which runs each table and
figure needs, `collect_results` what came of them, `tables` and `figures` compare both, `report` writes it all down.
Nothing is filled in that was not measured.
"""
