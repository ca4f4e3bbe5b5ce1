"""The operators, one chapter a kind: elementwise, shape, reduce, contract, windows."""
