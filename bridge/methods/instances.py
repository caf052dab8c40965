"""bridge.use: which Blender is meant where nobody is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypedDict

from .catalogue import CATALOGUE, Context

if TYPE_CHECKING:
    from bridge.fleet import Target


class Used(TypedDict):
    """Whom requests without a name go to from now on: `name` is None where they may go to several, or to nobody."""

    chosen: str | None
    name: str | None


@CATALOGUE.command("bridge.use", idempotent=True)
def use(
    context: Context,
    *,
    name: Annotated[str | None, "an instance, or several of one name; null to choose nobody"],
) -> Used:
    """Choose the Blender that all mean who name none, until that one is gone or another is chosen.

    A connection whose requests without a name have gone somewhere already keeps that, but for the one that asks this.
    """
    chosen = context.fleet.use(name)
    context.affinity.target = chosen
    return {"chosen": chosen.name if chosen is not None else None, "name": _default(context, chosen)}


def _default(context: Context, chosen: Target | None) -> str | None:
    from bridge.errors import Refused  # noqa: PLC0415  # only here

    if chosen is not None:
        return chosen.name
    try:
        return context.fleet.peek(None).name
    except Refused:
        return None
