#!/usr/bin/env python3
"""Gets the real programs that tests run, ahead of the tests, so that one that is missing is said once."""

import os
import sys

from topology.verify.packages import SUITES, UnavailableError, slurm


def main() -> int:
    """Exit code: 1 when CI lacks a program; elsewhere the tests that need it are left out."""
    missing = []
    for release in SUITES:
        try:
            slurm(release)
        except UnavailableError as error:
            missing.append(f"no Slurm {release}: {str(error).splitlines()[0]}")
    in_ci = os.environ.get("CI") == "true"
    for line in missing:
        sys.stderr.write(f"error: {line}\n" if in_ci else f"warning: tests are left out, {line}\n")
    return 1 if missing and in_ci else 0


if __name__ == "__main__":
    sys.exit(main())
