"""The process that a command runs in: its memory, in which opened boxes and keys stand, is written to no disk."""

import ctypes
import resource
import sys

_PR_SET_DUMPABLE = 4
"""prctl(2): without it a core that is piped to a program is written though its size is limited to nothing."""


def dump_no_core() -> None:
    """Limits the size of a core file to nothing, of programs that are started from here too."""
    _, highest = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, highest))


def stay_undumped() -> None:
    """As `dump_no_core`; on Linux no other process of the same user looks into this one's memory either."""
    dump_no_core()
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
