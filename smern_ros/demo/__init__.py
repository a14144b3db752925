"""The demo: plays a clip through the real graph, records what it says and writes a report that a person can read."""
