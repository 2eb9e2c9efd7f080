"""Infrastructure as code for AI clusters: one YAML spec becomes the site and the files it runs on."""

__version__ = "0.1.0"
