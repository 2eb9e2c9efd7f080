"""A real slurmctld on every file that a build renders: golden cases, and all sites to their last stage."""

import os
import re
from pathlib import Path

import polars as pl
import pytest

from topology.catalog.load import load as load_catalog
from topology.cli.progress import Progress
from topology.cli.reports import Severities
from topology.cli.session import open_plan, read
from topology.plan import names
from topology.artifacts.slurm.clusters import controllers
from topology.verify.placement import trials
from topology.verify.slurm import SlurmController
from topology.verify.slurm_log import ALLOWED_LINES
from topology.verify.slurm_topology import differences, groups, written

ROOT = Path(__file__).parents[2]
GOLDEN = sorted((ROOT / "tests" / "golden").glob("*/cluster.yaml"))
SITES = ("superpod-h100", "colossus", "colossus-1m")
FOLDERS = "stages/*/slurm/*"
