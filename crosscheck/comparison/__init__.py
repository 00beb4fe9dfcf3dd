"""`crosscheck compare`: every adapter, dtype and regime, in parallel children, summed up in one table."""
