"""Traces: which requests leave one, of what it is made, and where it goes.

Nothing is made while a request is served but the list of the statements and commands that it waited for. When it has
ended it is known whether it was slow or failed, and only then is it decided whether it is told of (`sampling.py`); a
thread makes the spans of those few (`spans.py`) and sends them on (`export.py`). So a validation from memory costs a
comparison, where a span begun and thrown away would cost as much as all the rest of it.
"""
