"""What to draw: each picture computed from what it shows.  Read computation, slopes, connections, stack, units, rows,
connectivity, grids, arithmetic, images, stages, architecture; lecture has the figures of the lecture, samples their
code."""
