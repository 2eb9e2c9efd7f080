"""Infrastructure as code for AI clusters: one YAML spec becomes the site and the files it runs on."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("cluster-topology")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+unknown"
