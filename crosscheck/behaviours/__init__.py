"""Behaviours: how frameworks differ where all of them are right; `PROBES` has the questions."""
