"""Learning, and what is kept of it.  Read optim, checkpoint, parallel, runs, train, png, pictures, effort."""
