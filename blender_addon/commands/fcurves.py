"""An animated thing's F-curves: of the action itself up to 4.3, of a slot in the action's layers from 4.4 on."""

from __future__ import annotations

from typing import Any, Iterator, List, NamedTuple, Optional


class Curves(NamedTuple):
    """The F-curves that animate one data-block: a collection with `find`, `new` and `remove`."""

    collection: Any

    def find(self, path: str, index: int) -> Any:
        """The curve of one number, None where it is not animated."""
        return self.collection.find(path, index=index)

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self.collection))

    def remove(self, curve: Any) -> None:
        """Forget a curve."""
        self.collection.remove(curve)


def curves_of(owner: Any) -> List[Curves]:
    """What animates the data-block: nothing, or one group of curves (of each layer and strip one, where they are)."""
    animation = owner.animation_data if owner is not None else None
    action = animation.action if animation is not None else None
    if action is None:
        return []
    # A slot of an action tells which of its curves are this data-block's.
    slot: Optional[Any] = getattr(animation, "action_slot", None)
    if not hasattr(action, "layers"):
        return [Curves(action.fcurves)]
    if slot is None:
        return []
    bags = [
        bag
        for layer in action.layers
        for strip in layer.strips
        if strip.type == "KEYFRAME"
        for bag in strip.channelbags
        if bag.slot_handle == slot.handle
    ]
    return [Curves(bag.fcurves) for bag in bags]
