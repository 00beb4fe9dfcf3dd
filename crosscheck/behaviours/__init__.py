"""Behaviours: questions on which frameworks differ although all of them are right; `PROBES` lists them."""
