"""Renders on a cluster that has Slurm: each job an array of tasks there, found by the job's name.

programs  sbatch, squeue and scancel
place     the job's directory on the file system that the nodes share: the plan, the logs, the finished pictures
engine    one look at a job: submit it, see how far it is, take what is finished
node      what runs on a node
"""

from .engine import SlurmEngine
from .programs import require

__all__ = ["SlurmEngine", "require"]
