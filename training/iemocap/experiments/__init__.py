"""The paper's experiments: who is trained on whom, how often, and what comes of it. Needs no ROS.

`protocols` parts the utterances, `prepare` makes tensors of their features, `train` fits one network, `runs` says what
one run is, `carry_out` does many and can be stopped at any time, `results` keeps what they leave, `integrate` makes
figures of it. `shipped` teaches the encoders of the shipped checkpoint, an extra. `planted` makes a corpus on which the
right order of the networks is known beforehand.
"""
