"""Behaviours: questions on which frameworks differ although all are right; `questions.PROBES` lists them."""
