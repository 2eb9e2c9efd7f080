"""The review of a pull request on GitHub: compared on a runner, told in one comment per spec.

Two jobs, so that none of them has both: `compare` reads what the pull request holds and has no token;
`comment` has a token and reads nothing but the texts that the first left, which it takes for forged until
each line of them is one that a review writes. `python -P -m topology.ci compare` and
`… comment` are what action.yml and comment/action.yml run. `comment` needs nothing but Python.
"""
