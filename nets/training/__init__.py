"""Learning, and what is kept of it.  Read optim, checkpoint, parallel, runs, terminal, train, png, pictures, effort."""
