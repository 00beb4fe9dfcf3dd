"""The truth for all adapters: the document's gradient, the admissible set of every output, and the oracle."""
