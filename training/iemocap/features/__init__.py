# Copyright 2026 The smern_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Features of whole corpora: computed once, kept on disk, read by every experiment."""
