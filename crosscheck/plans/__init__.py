"""Plans: which adapters evaluate which cases, as data, and the reasons for what is not planned."""
