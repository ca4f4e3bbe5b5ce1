"""The laws of minitensor, nets and viz, tried by Hypothesis on generated shapes and settings.

One file for each subject; each test is named after its law, and its docstring states it.  Start with `test_engine.py`
(what every engine is asked), then `test_gradients.py` and the table in `operators.py` that it reads.
"""
