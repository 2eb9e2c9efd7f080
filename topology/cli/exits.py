"""Exit codes: documented, tested, frozen."""

FINE = 0
FINDINGS = 1  # findings at or above --fail-on
REFUSED = 2  # wrong use, or input that cannot be read
STALE = 3  # build --check: the tree is not what the spec gives
CHANGED = 3  # diff --exit-code: the sides differ
DRIFT = 4  # verify: a program of production read the files otherwise
INTERNAL = 70  # EX_SOFTWARE of sysexits.h: our fault
INTERRUPTED = 130  # 128 + SIGINT
PIPE_CLOSED = 141  # 128 + SIGPIPE
