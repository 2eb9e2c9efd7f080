"""colossus-1m: the stack of one stage, out of s01, s02, s03, s04, s05, s06, s07, s08, s09, s10, s11.

    pulumi preview -s s01
    pulumi up -s s01
"""

from topology.deploy import gates
from topology.deploy.components import (
    Batteries,
    Fabrics,
    KubernetesCells,
    Power,
    ScalableUnits,
    SlurmClusters,
    export,
)
from topology.deploy.stage import Stage

stage = Stage.selected()  # a build, what the stack's stage adds to it, and the stack's configuration
gates.pass_or_stop(stage)  # the stage before it, permits, energised halls, banks; nothing is touched before this

power = Power(stage)
batteries = Batteries(stage)
fabrics = Fabrics(stage, power)
units = ScalableUnits(stage, power, fabrics)
slurm = SlurmClusters(stage, power, batteries, fabrics, units)
cells = KubernetesCells(stage, power, batteries, fabrics, units)  # those whose API server the configuration names

export(stage, power, batteries, fabrics, units, slurm, cells)
