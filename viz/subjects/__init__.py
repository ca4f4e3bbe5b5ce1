"""What to draw: each picture computed from what it shows.  Read computation, slopes, connections, connectivity, grids,
arithmetic, images, architecture; lecture and samples make the figures of the lecture."""
