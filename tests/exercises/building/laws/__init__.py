"""The laws of the track `build`.  Each gets the student's engine as its argument, and asks it for nothing that a later
step brings; it accepts every order, tie and name that the texts leave open.
"""
