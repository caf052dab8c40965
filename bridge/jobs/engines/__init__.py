"""Where a job's Blender runs.

local   a process of this machine, the job's own
slurm   a cluster
"""
