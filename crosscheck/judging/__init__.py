"""From what an adapter returned to a verdict: evaluate, judge every element, check the adapter's contract."""
