"""`crosscheck compare`: evaluate every adapter, dtype and regime in parallel processes, and print a table."""
