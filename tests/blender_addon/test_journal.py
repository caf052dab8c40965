"""The last commands, as a person is shown them."""

from __future__ import annotations

from blender_addon.journal import MOST, Entry, Journal


def entry(number):
    return Entry(f"a.b{number}", 0.0, "ok", float(number))


def test_the_newest_is_first():
    journal = Journal()
    for number in range(3):
        journal.add(entry(number))
    assert [kept.at for kept in journal.entries()] == [2, 1, 0]


def test_the_oldest_are_forgotten_and_still_counted():
    journal = Journal()
    for number in range(MOST + 5):
        journal.add(entry(number))
    assert journal.entries()[-1] == entry(5)
    assert len(journal.entries()) == MOST
    assert journal.count == MOST + 5


def test_it_can_be_cleared():
    journal = Journal()
    journal.add(entry(1))
    journal.clear()
    assert journal.entries() == []
