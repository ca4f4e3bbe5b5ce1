"""What to open in a browser: pages of one file that need nothing else.

Read page, stepper, playground; kernels, network, recorded, explorer; gallery.
"""
