"""What a person sees of the add-on, and what a tool sees of the window."""

from __future__ import annotations

import struct

import pytest

from tests.integration.serving import until

from .conftest import known, sitting

pytestmark = pytest.mark.gui

_SHOW = """
window = bpy.context.window_manager.windows[0]
area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
area.spaces.active.show_region_ui = True
drawn = bpy.app.driver_namespace["drawn"] = []
# What is appended to a panel is drawn with it; where the panel itself raises, Blender's log has the traceback.
bpy.types.BPYBRIDGE_PT_main.append(lambda *_: drawn.append("main"))
bpy.types.BPYBRIDGE_PT_safety.append(lambda *_: drawn.append("safety"))
bpy.types.BPYBRIDGE_PT_log.append(lambda *_: drawn.append("log"))
"""

_SIDEBAR = """
window = bpy.context.window_manager.windows[0]
area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
region = next(region for region in area.regions if region.type == "UI")
result = [region.x, region.y, region.width, region.height]
"""

_DRAWN = "result = sorted(set(bpy.app.driver_namespace['drawn']))"


@pytest.fixture(scope="module")
def clickable(screen, archive, tmp_path_factory):
    """A desk with a mouse, and its panel in view."""
    with sitting(screen, archive, tmp_path_factory.mktemp("mouse"), mouse=True) as desk:
        with desk.client() as client:
            until(lambda: "blender" in known(client))
            client.call("object.create", {"type": "monkey"})
            desk.window.by_hand(_SHOW)
            click_tabs(desk.window)
            yield desk


def test_the_panel_is_drawn_once_its_tab_is_clicked(clickable):
    assert clickable.window.by_hand(_DRAWN) == ["log", "main", "safety"]
    assert "Traceback" not in clickable.window.log.read_text()


def test_the_panel_is_drawn_while_it_is_stopped_too(clickable):
    clickable.window.by_hand("bpy.app.driver_namespace['drawn'].clear()\nbpy.ops.bpy_bridge.stop()")
    redraw(clickable.window)

    assert "main" in clickable.window.by_hand(_DRAWN)
    assert "Traceback" not in clickable.window.log.read_text()


def test_a_screenshot_shows_the_whole_window(tool):
    shot = tool.client.call("viewport.screenshot", {"max_size": 512})

    image = bytes(shot.parts["image"].data)
    assert struct.unpack(">II", image[16:24]) == (shot.value["width"], shot.value["height"]) == (512, 320)


def test_a_screenshot_of_an_area_shows_what_is_there(tool):
    """What a command changes is on the picture that is taken right after it."""
    before = picture(tool)
    tool.get("object.delete", names=["Cube"])

    assert picture(tool) != before


def picture(tool):
    shot = tool.client.call("viewport.screenshot", {"area": "VIEW_3D", "max_size": 256})
    return bytes(shot.parts["image"].data)


def click_tabs(window):
    """Click down the column of the sidebar's tabs until ours has been drawn; Blender gives no other way to it."""
    left, bottom, width, height = window.by_hand(_SIDEBAR)
    for below in range(20, height, 20):
        for event, value in (("MOUSEMOVE", "NOTHING"), ("LEFTMOUSE", "PRESS"), ("LEFTMOUSE", "RELEASE")):
            window.by_hand(
                f"bpy.context.window_manager.windows[0].event_simulate(type={event!r}, value={value!r}, "
                f"x={left + width - 13}, y={bottom + height - below})"
            )
        if window.by_hand(_DRAWN):
            return
    raise AssertionError("no tab has our panel")


def redraw(window):
    """Have everything drawn again, and wait for it."""
    window.by_hand("""
with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
    bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=1)
""")
