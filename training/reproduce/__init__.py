"""The paper's tables 1 to 4 and figures 4 and 5, made from runs of `experiments` and set beside what it reports.

`published` is what the paper reports, `plan` which runs each table and figure needs, `results` what came of them,
`tables` and `figures` set both side by side, `report` writes it all down. Nothing is filled in that was not measured.
"""
