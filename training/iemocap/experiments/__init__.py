# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The paper's experiments: who is trained on whom, how often, and what comes of it. Needs no ROS.

`protocols` parts the utterances, `network_samples` makes tensors of their features, `train_network` fits one network,
`runs` says what one run is, `run_experiments` does many and can be stopped at any time, `results` keeps what they
leave, `integrate` makes figures of it. `shipped` trains the encoders of the shipped checkpoint, an extra. `synthetic`
makes a corpus on which the right order of the networks is known beforehand.
"""
