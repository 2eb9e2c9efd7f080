"""`python -P -m topology.ci compare` and `… comment`: the steps of action.yml and comment/action.yml."""

import sys

from topology.ci.runner import JobError, annotate

REFUSED = 2
JOBS = ("comment", "compare")


def main(words: list[str]) -> int:
    """Exit code of the job that the only word names. Each imports its own: `comment` runs where little else is."""
    try:
        if words == ["comment"]:
            from topology.ci.comment import comment  # noqa: PLC0415 - as above

            return comment()
        if words == ["compare"]:
            from topology.ci.compare import compare  # noqa: PLC0415 - as above

            return compare()
    except JobError as error:
        annotate("error", f"{error.message}; {error.help}")
        return REFUSED
    sys.stderr.write(f"error: say one of {', '.join(JOBS)}\n")
    return REFUSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
