"""The paper's tables 1 to 4 and figures 4 and 5, made from runs of `experiments` and set beside what it reports;
and a table that it does not have.

`published` is what the paper reports, `beside` the table of ours, `plan` which runs each table and figure needs,
`gather` what came of them, `tables` and `figures` set both side by side, `report` writes it all down. Nothing is filled
in that was not measured.
"""
