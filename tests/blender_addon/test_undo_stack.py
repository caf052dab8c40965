"""What Blender prints of its undo steps, read."""

from blender_addon.undo_stack import Stack, Step, parse_stack, since_load

PRINTED = b"""Undo 5 Steps (*: active, #=applied, M=memfile-active, S=skip)
[ #  ]   0 {0x7fbe8f50d388} type='Global Undo', name='Original'
[ # S]   1 {0x7fbe8d27a688} type='Global Undo', name='MemFile Internal (pre)'
[*#M ]   2 {0x7fbe8d27a608} type='Edit Mesh', name='it's {odd}, name='x'
[    ]   3 {0x7fbe8f50d788} type='Global Undo', name='object.create'
[    ]   4 {0x7fbe8f50d789} type='Global Undo', name='caf\xc3\xa9'

something else that was printed
"""


def stack(*names, at):
    return Stack([Step(number, name) for number, name in enumerate(names)], at)


def test_steps_that_a_person_cannot_go_to_are_left_out():
    assert parse_stack(PRINTED) == Stack(
        [Step(0, "Original"), Step(2, "it's {odd}, name='x"), Step(3, "object.create"), Step(4, "café")], at=1
    )


def test_what_was_printed_without_steps_is_no_stack():
    assert parse_stack(b"") is None
    assert parse_stack(b"Undo 0 Steps (*: active)\n") is None


def test_undo_goes_back_to_the_oldest_step_and_redo_to_the_newest():
    between = stack("Original", "a", "b", "c", at=2)

    assert [step.name for step in between.done] == ["b", "a"]
    assert [step.name for step in between.undone] == ["c"]


def test_at_the_oldest_step_there_is_nothing_to_undo():
    assert stack("Original", "a", at=0).done == []
    assert Stack([], -1).done == []
    assert Stack([], -1).undone == []


def test_at_the_newest_step_there_is_nothing_to_redo():
    assert stack("Original", "a", at=1).undone == []


def test_the_steps_of_the_file_before_are_not_gone_back_to():
    after = since_load(stack("Original", "a", "Original", "b", "c", at=3))

    assert ([step.name for step in after.steps], after.at) == (["Original", "b", "c"], 1)
    assert after.steps[1].number == 3


def test_where_the_oldest_steps_were_forgotten_the_rest_is_there():
    assert since_load(stack("a", "b", at=1)) == stack("a", "b", at=1)
