"""The planted bugs, by chapter, from easy to hard to see.  (Reading them spoils the exercises.)

Each is a small wrong function on top of minitensor, modelled on a mistake that was made and reported; `source` says
where.  The engine itself is never touched.  `survives` is an example test, as one meets them, that passes all the same.
"""

from ..engine import Bug
from . import engine, equivariance, gradients, pooling, sharing, sizes

BUGS: dict[str, list[Bug]] = {
    "sizes": sizes.BUGS,
    "gradients": gradients.BUGS,
    "equivariance": equivariance.BUGS,
    "sharing": sharing.BUGS,
    "pooling": pooling.BUGS,
    "engine": engine.BUGS,
}
