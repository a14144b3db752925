"""Features of whole corpora: computed once, kept on disk, read by every experiment."""
