"""Prompts that show good practice: look, plan, small steps, look again."""

from __future__ import annotations

from typing import NamedTuple

import mcp_types as types
from mcp.shared.exceptions import MCPError

from .context import Context


class _Prompt(NamedTuple):
    title: str
    description: str
    arguments: dict[str, str]
    text: str


_PROMPTS = {
    "build": _Prompt(
        "Build something",
        "Model something in small steps that can be taken back, looking at each",
        {"what": "what to build"},
        """Build this in Blender: {what}

1. Look: scene_summary, then scene_objects. Say in two sentences what is there and what you keep.
2. Plan: list the parts with sizes in metres and where they stand, in the order in which you make them.
3. Set history_checkpoint, then make one part at a time with object_create, modifier_add and material_set; use
   code_execute only for what no tool does (tool_search finds the rest).
4. After every few steps call viewport_preview and compare with the plan; mend what is off, or history_undo.
5. At the end place the camera (camera_frame_objects), check the light, and show a viewport_preview.""",
    ),
    "render": _Prompt(
        "Make a good picture",
        "Light, frame and render what is there",
        {"mood": "the light that is wanted, for example soft morning light"},
        """Make a good picture of the scene. The light: {mood}

1. Look: scene_summary and one viewport_preview.
2. Frame: camera_frame_objects on what matters; mind the horizon and leave room.
3. Light: a key, a fill and the world's background; say why each.
4. Try: render_still at 480 pixels width with few samples, and judge it honestly: exposure, noise, composition.
5. Mend one thing at a time, then render_still at full size.""",
    ),
    "inspect": _Prompt(
        "Look through a file",
        "Find out what a file holds and what is wrong with it, changing nothing",
        {},
        """Look through the open file and change nothing. Use only tools that read: scene_summary, scene_objects page by
page, object_get for what is unusual, viewport_preview from the front and the camera. Report: what it is, its scale, its
parts, and what looks wrong (scale not applied, normals, no materials, missing files, far from the origin), each with
the tool call that would mend it.""",
    ),
    "mend": _Prompt(
        "Mend what went wrong",
        "Get back to a good state after a failure",
        {"problem": "what went wrong"},
        """Something went wrong in Blender: {problem}

Read blender://log to see what was done and what each outcome was. For an outcome `unknown`, look with scene_summary and
object_get before you repeat anything. Prefer history_undo over repairing by hand. Then explain what happened, and take
the next step in the smallest piece that shows whether it works.""",
    ),
}


async def list_prompts(  # noqa: ASYNC124  # the SDK awaits it
    _: Context, __: types.PaginatedRequestParams | None
) -> types.ListPromptsResult:
    """The same for everybody."""
    return types.ListPromptsResult(prompts=[_described(name, prompt) for name, prompt in _PROMPTS.items()])


def _described(name: str, prompt: _Prompt) -> types.Prompt:
    arguments = [
        types.PromptArgument(name=argument, description=meaning, required=True)
        for argument, meaning in prompt.arguments.items()
    ]
    return types.Prompt(name=name, title=prompt.title, description=prompt.description, arguments=arguments)


async def get_prompt(  # noqa: ASYNC124  # the SDK awaits it
    _: Context, params: types.GetPromptRequestParams
) -> types.GetPromptResult:
    """One, with its arguments filled in. Raises MCPError for an unknown one, or a missing argument."""
    prompt = _PROMPTS.get(params.name)
    if prompt is None:
        message = f"there is no prompt {params.name!r:.80}: there are {', '.join(_PROMPTS)}"
        raise MCPError(code=types.INVALID_PARAMS, message=message)
    given = params.arguments or {}
    missing = [argument for argument in prompt.arguments if not given.get(argument)]
    if missing:
        raise MCPError(code=types.INVALID_PARAMS, message=f"{params.name} needs {', '.join(missing)}")
    text = prompt.text
    for argument in prompt.arguments:
        text = text.replace("{" + argument + "}", given[argument])
    said = types.PromptMessage(role="user", content=types.TextContent(text=text))
    return types.GetPromptResult(description=prompt.description, messages=[said])
