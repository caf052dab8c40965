"""text.*: text objects."""

from __future__ import annotations

from typing import Annotated, Any, Dict, List, Literal, Optional, TypedDict

from ..constraints import Range, Size
from ..schema import nearest
from .catalogue import command
from .described import rounded
from .lookup import object_named, refuse
from .parameters import Location, Name, Positive, Rotation
from .places import AbsolutePath, to_read
from .placing import placed
from .rna import set_properties

Across = Annotated[Literal["LEFT", "CENTER", "RIGHT", "JUSTIFY", "FLUSH"], "where its lines lie beside its origin"]
Up = Annotated[
    Literal["TOP_BASELINE", "TOP", "CENTER", "BOTTOM", "BOTTOM_BASELINE"],
    "where the text lies above or below its origin",
]
Body = Annotated[str, "what it says; lines end with \\n", Size(0, 50_000)]
Depth = Annotated[float, "half of its depth in metres; 0: flat", Range(0, 1e6)]
Font = Annotated[AbsolutePath, "a font file: .ttf, .otf, .ttc, .pfb, .woff or .woff2; default: Blender's own"]
Properties = Annotated[
    Optional[Dict[str, Any]],
    'Blender\'s own properties of the text, by name: {"bevel_depth": 0.01, "space_line": 1.2, "shear": 0.2}',
]
_FONTS = (".ttf", ".otf", ".ttc", ".pfb", ".woff", ".woff2")
# In a result; the whole text may be long.
_LONGEST = 1_000


class TextState(TypedDict):
    """A text. `dimensions` are x, y, z in metres, scale included; `body` ends after 1000 characters."""

    object: str
    body: str
    size: float
    extrude: float
    align_x: str
    align_y: str
    font: str
    dimensions: List[float]


@command("text.create")
def create(
    *,
    body: Body,
    name: Annotated[Optional[Name], "its name; Blender adds .001 and so on where it is taken"] = None,
    size: Annotated[Positive, "the height of a line in metres"] = 1.0,
    extrude: Depth = 0.0,
    align_x: Across = "LEFT",
    align_y: Up = "TOP_BASELINE",
    font: Optional[Font] = None,
    properties: Properties = None,
    location: Location = (0.0, 0.0, 0.0),
    rotation: Rotation = (0.0, 0.0, 0.0),
) -> TextState:
    """Add a text. It lies flat and is read from above; rotation [1.5708, 0, 0] stands it up, read from the front."""
    import bpy

    loaded = _load(font)
    text = bpy.data.curves.new(name or "Text", "FONT")
    given = {"body": body, "size": size, "extrude": extrude, "align_x": align_x, "align_y": align_y}
    try:
        set_properties(text, {**given, **(properties or {})}, "properties")
    except BaseException:
        bpy.data.curves.remove(text)
        raise
    _wear(text, loaded)
    return _state(placed(name or "Text", text, location, rotation))


@command("text.update", idempotent=True)
def update(
    *,
    object: Annotated[Name, "a text object's name"],  # noqa: A002  # the name is the public parameter
    body: Optional[Body] = None,
    size: Annotated[Optional[Positive], "the height of a line in metres"] = None,
    extrude: Optional[Depth] = None,
    align_x: Optional[Across] = None,
    align_y: Optional[Up] = None,
    font: Optional[Font] = None,
    properties: Properties = None,
) -> TextState:
    """Change what a text says and how it looks. What is not given stays."""
    item = _text_named(object)
    loaded = _load(font)
    given = {"body": body, "size": size, "extrude": extrude, "align_x": align_x, "align_y": align_y}
    set_properties(item.data, {**_present(given), **(properties or {})}, "properties")
    _wear(item.data, loaded)
    item.update_tag()
    return _state(item)


def _present(values: Dict[str, Any]) -> Dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _text_named(name: str) -> Any:
    import bpy

    found = object_named(name, "object")
    if found.type != "FONT":
        texts = [other.name for other in bpy.data.objects if other.type == "FONT"]
        raise refuse("object", f"{name!r} is no text but a {found.type.lower()}", nearest(name, texts) or texts[:5])
    if found.mode == "EDIT":
        raise refuse("object", f"{name!r} is being edited: leave its edit mode first")
    return found


def _load(path: Optional[str]) -> Any:
    import bpy

    if path is None:
        return None
    file = to_read(path, _FONTS, param="font")
    try:
        return bpy.data.fonts.load(str(file), check_existing=True)
    except RuntimeError:
        raise refuse("font", f"{str(file)!r} is no font that Blender can read") from None


def _wear(text: Any, font: Any) -> None:
    if font is not None:
        text.font = text.font_bold = text.font_italic = text.font_bold_italic = font


def _state(item: Any) -> TextState:
    import bpy

    bpy.context.view_layer.update()
    text = item.data
    return {
        "object": item.name,
        "body": text.body[:_LONGEST],
        "size": rounded([text.size])[0],
        "extrude": rounded([text.extrude])[0],
        "align_x": text.align_x,
        "align_y": text.align_y,
        "font": text.font.name if text.font else "",
        "dimensions": rounded(item.dimensions),
    }
