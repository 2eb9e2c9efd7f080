"""The review of a pull request on GitHub: compared on a runner, told in one comment per spec.

Two jobs, so that none of them has both: `compare` reads what the pull request holds and has no token;
`comment` has a token and reads nothing but the data that the first left, which it takes for forged: it holds each line
against a schema and renders it, every string escaped. `python -P -m topology.ci compare` and `… comment` are what
action.yml and comment/action.yml run. `comment` needs nothing but Python and jsonschema.
"""
