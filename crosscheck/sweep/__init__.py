"""Sweeps: very large sets of problems, cut into shards that any process on any machine can compute."""
