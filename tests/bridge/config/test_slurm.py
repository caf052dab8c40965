"""What can be said of a cluster, and what is refused."""

from __future__ import annotations

import pytest


def test_every_setting_of_the_cluster_can_be_set_in_the_environment(load):
    slurm = load(
        JOBS__SLURM__PARTITION="gpu,long",
        JOBS__SLURM__ACCOUNT="film",
        JOBS__SLURM__TIME_LIMIT="1-12:00",
        JOBS__SLURM__OPTIONS="--gres=gpu:1 '--comment=two words'",
        JOBS__SLURM__BLENDER="/opt/blender/blender",
        JOBS__SLURM__PYTHON="/opt/python",
        JOBS__SLURM__DIRECTORY="/shared/jobs",
        JOBS__SLURM__TASKS="200",
        JOBS__SLURM__POLL="30",
    ).jobs.slurm
    assert slurm.options == ["--gres=gpu:1", "--comment=two words"]
    assert (slurm.partition, slurm.account, slurm.time_limit, slurm.tasks) == ("gpu,long", "film", "1-12:00", 200)
    assert (slurm.blender, slurm.python, str(slurm.directory)) == (
        "/opt/blender/blender",
        "/opt/python",
        "/shared/jobs",
    )


def test_options_are_a_list_in_a_file(load):
    assert load(toml='[jobs.slurm]\noptions = ["--mem=8G", "--nice"]').jobs.slurm.options == ["--mem=8G", "--nice"]


@pytest.mark.parametrize("limit", ["30", "30:00", "2:00:00", "1-0", "1-12:30", "1-12:30:00"])
def test_a_time_limit_is_written_as_for_sbatch(load, limit):
    assert load(JOBS__SLURM__TIME_LIMIT=limit).jobs.slurm.time_limit == limit


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIME_LIMIT", "two hours"),
        ("PARTITION", "--wrap=rm"),
        ("OPTIONS", "script.sh"),
        ("DIRECTORY", "shared"),
        ("TASKS", "0"),
    ],
)
def test_what_sbatch_would_not_take_is_refused_by_its_name(refusal, name, value):
    assert f"BPY_BRIDGE_JOBS__SLURM__{name}" in refusal(**{f"JOBS__SLURM__{name}": value})
