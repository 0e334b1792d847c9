"""File formats of sparse autoencoders: this program's (`native`) and those of other tools; `exchange.py` lists them.

Another tool's format is one file with `FILES` (its weights in a folder), `recognises` and `read` from a checkpoint,
and `write` where it can be exported.
"""
