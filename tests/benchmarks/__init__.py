"""How fast minitensor is, beside other engines on the same machine: `python -m tests.benchmarks`.

Each engine computes each task in a process of its own.  All get the same NumPy inputs and weights, and nothing is timed
before their results agree.  Then they take turns, a tenth of a second each, so that a busy moment of the machine hits
them all; those that wait are stopped, so that no idle thread of theirs spins.  What counts is the median.  Every
process, those of the peers too, runs on the same two cores with two threads, and begins with the same treatment of
glibc's allocator (`worker.py`).

Read in this order: `tasks` (what is computed), `engines` (one short file for each), `worker` (a process that computes),
`driver` (who asks it), `report` (the table and the picture).
"""
