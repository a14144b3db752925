"""Bags: what went through the graph, kept on disk as `ros2 bag` keeps it, and played into a graph again."""
