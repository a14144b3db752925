"""Transcripts to rows of word vectors."""
