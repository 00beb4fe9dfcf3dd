"""Judge and tell: cases, verdicts, summaries, and the command line."""
