"""Sweeps: volume, cut into shards that any process on any machine can compute by itself."""
