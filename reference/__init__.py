"""What is true: the document's gradient, the admissible set of every output, and the exact oracle."""
