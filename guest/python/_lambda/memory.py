"""How much memory the process has used at most."""

import os
import resource

# Linux carries the peak of the process that forked us into our own rusage (exec_mmap keeps hiwater_rss), so a small
# function spawned by a large platform would seem to use the platform's memory. Until our own peak exceeds what was
# inherited, the kernel's per-address-space figure is read instead.
_inherited_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
_status = None


def _address_space_peak():
    global _status
    if _status is None:
        _status = os.open("/proc/self/status", os.O_RDONLY | os.O_CLOEXEC)
    text = os.pread(_status, 4096, 0)
    start = text.index(b"VmHWM:") + 6
    return int(text[start : text.index(b"kB", start)])


def max_rss_kb():
    """The peak in KiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if peak > _inherited_peak:
        return peak
    try:
        return _address_space_peak()
    except (OSError, ValueError):
        return peak
