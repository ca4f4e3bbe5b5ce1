"""The track `build`: an engine from an empty file, in sixteen steps, each under laws.

steps.py says which steps there are, texts/ what is told of each, laws/ what must hold after it.  solution.py is our own
engine; bridge.py is all that `viz` needs to draw the student's.
"""
