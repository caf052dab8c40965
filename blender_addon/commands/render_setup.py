"""render.engines, render.settings and render.set: what renders, and how the scene is set up for it."""

from __future__ import annotations

import contextlib
from typing import Annotated, Any, Dict, Iterator, List, Literal, Optional, TypedDict

from ..constraints import Range, Size
from .catalogue import command
from .described import rounded
from .lookup import current_scene, refuse
from .render_output import Engine, Pixels, Samples
from .render_settings import can_denoise, choices, choose, samples_of, set_engine, set_samples
from .rna import set_properties

_OURS = {
    "CYCLES": "cycles",
    "BLENDER_EEVEE": "eevee",
    "BLENDER_EEVEE_NEXT": "eevee",
    "BLENDER_WORKBENCH": "workbench",
}
_MOST_ENGINES = 50


class EngineState(TypedDict):
    """`name` is what other commands take; null for one of another add-on, which `render.set` takes by its `id`."""

    id: str
    name: Optional[str]
    active: bool


class Engines(TypedDict):
    """`devices` are what Cycles can compute on; `denoiser`: this build has one."""

    engines: List[EngineState]
    devices: List[str]
    denoiser: bool


class RenderState(TypedDict):
    """Width and height are of a whole picture at 100 percent; what the engine does not have is null."""

    engine: str
    width: int
    height: int
    percentage: int
    samples: Optional[int]
    denoise: Optional[bool]
    device: Optional[str]
    transparent: bool
    view_transform: str
    look: str
    exposure: float
    gamma: float
    camera: Optional[str]
    output: str
    format: str


@command("render.engines", read_only=True)
def engines() -> Engines:
    """List the render engines that this Blender has, and what Cycles can compute on."""
    scene = current_scene()
    found = choices(scene.render, "engine")[:_MOST_ENGINES]
    return {
        "engines": [{"id": name, "name": _OURS.get(name), "active": name == scene.render.engine} for name in found],
        "devices": _devices(),
        "denoiser": "CYCLES" in found and can_denoise(),
    }


@command("render.settings", read_only=True)
def settings() -> RenderState:
    """Tell how the scene is set up to render: engine, size, samples, colour management."""
    return _state(current_scene())


@command("render.set", idempotent=True)
def set_settings(
    *,
    engine: Engine = None,
    engine_id: Annotated[Optional[str], "an engine of another add-on, as render.engines names it", Size(1, 64)] = None,
    width: Annotated[Optional[Pixels], "in pixels"] = None,
    height: Annotated[Optional[Pixels], "in pixels"] = None,
    percentage: Annotated[Optional[int], "of width and height that is rendered", Range(1, 1000)] = None,
    samples: Samples = None,
    denoise: Annotated[Optional[bool], "of Cycles: remove the noise afterwards"] = None,
    device: Annotated[Optional[Literal["CPU", "GPU"]], "of Cycles"] = None,
    transparent: Annotated[Optional[bool], "no background but transparency"] = None,
    view_transform: Annotated[Optional[str], "Standard, AgX (4.0 on), Filmic, …: light → colours", Size(1, 64)] = None,
    look: Annotated[Optional[str], "None, or what the view transform has, as High Contrast", Size(1, 64)] = None,
    exposure: Annotated[Optional[float], "in stops", Range(-32, 32)] = None,
    gamma: Annotated[Optional[float], "1 is as it is", Range(0.01, 5)] = None,
    properties: Annotated[Optional[Dict[str, Any]], "other properties of scene.render, by Blender's names"] = None,
) -> RenderState:
    """Change how the scene renders, for good; what is not given stays.

    render.still and the others take a size, an engine and samples for one picture alone.
    """
    scene = current_scene()
    if engine is not None and engine_id is not None:
        raise refuse("engine_id", "give engine or engine_id, not both")
    _check_for_cycles(scene, denoise, device)
    with _back_where_refused(scene):
        set_engine(scene, engine or engine_id)
        if view_transform is not None:
            choose(scene.view_settings, "view_transform", view_transform, "view_transform")
        if look is not None:
            _set_look(scene.view_settings, look)
        set_properties(scene.render, properties or {}, "properties")
    _set_given(scene.render, resolution_x=width, resolution_y=height, resolution_percentage=percentage)
    _set_given(scene.render, film_transparent=transparent)
    _set_given(scene.view_settings, exposure=exposure, gamma=gamma)
    if hasattr(scene, "cycles"):
        _set_given(scene.cycles, use_denoising=denoise, device=device)
    if samples is not None:
        set_samples(scene, samples)
    return _state(scene)


@contextlib.contextmanager
def _back_where_refused(scene: Any) -> Iterator[None]:
    """What only Blender can check is set first, and put back where it says no."""
    view = scene.view_settings
    engine, transform, look = scene.render.engine, view.view_transform, view.look
    try:
        yield
    except BaseException:
        scene.render.engine, view.view_transform, view.look = engine, transform, look
        raise


def _set_given(owner: Any, **values: Any) -> None:
    for name, value in values.items():
        if value is not None:
            setattr(owner, name, value)


def _check_for_cycles(scene: Any, denoise: Optional[bool], device: Optional[str]) -> None:
    for param, value in (("denoise", denoise), ("device", device)):
        if value is not None and not hasattr(scene, "cycles"):
            raise refuse(param, "this is a setting of Cycles, which this Blender has not enabled")
    if denoise and not can_denoise():
        raise refuse("denoise", "this Blender was built without a denoiser")


def _set_look(view: Any, look: str) -> None:
    """A look is called "AgX - High Contrast" in some versions and "High Contrast" in others."""
    known = choices(view, "look")
    choose(view, "look", next((name for name in known if name.endswith(f" - {look}")), look), "look")


def _devices() -> List[str]:
    """CPU, and the kinds of GPU that are set up in Blender's preferences."""
    import bpy

    addon = bpy.context.preferences.addons.get("cycles")
    chosen = getattr(addon.preferences, "compute_device_type", "NONE") if addon else "NONE"
    return ["CPU"] if chosen in ("", "NONE") else ["CPU", chosen]


def _state(scene: Any) -> RenderState:
    render, view = scene.render, scene.view_settings
    cycles = getattr(scene, "cycles", None) if render.engine == "CYCLES" else None
    return {
        "engine": render.engine,
        "width": render.resolution_x,
        "height": render.resolution_y,
        "percentage": render.resolution_percentage,
        "samples": samples_of(scene),
        "denoise": cycles.use_denoising if cycles else None,
        "device": cycles.device if cycles else None,
        "transparent": render.film_transparent,
        "view_transform": view.view_transform,
        "look": view.look,
        "exposure": rounded([view.exposure])[0],
        "gamma": rounded([view.gamma])[0],
        "camera": scene.camera.name if scene.camera else None,
        "output": render.filepath,
        "format": render.image_settings.file_format,
    }
