"""What is binary, in and out: numbers, base64 and files; pictures, summaries and files."""

from __future__ import annotations

import base64
import io
import json
import os
import struct
from array import array
from typing import Annotated, Any, TypedDict

import pytest
from PIL import Image

from blender_addon.constraints import Array, Media
from blender_addon.wire import Part
from bridge.frontends.mcp import files
from bridge.frontends.mcp.npy import array_in, npy
from tests.bridge.line import until

from .over_socket import house

POINTS = [0.0, 1.0, 2.0, 3.0, 4.0, 5.5]
RAW = struct.pack("<6f", *POINTS)


class Seen(TypedDict):
    image: Annotated[Part, Media("image/png")]
    width: int


def picture(width: int, height: int, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (200, 100, 50)).save(file, kind)
    return file.getvalue()


@pytest.fixture
def commands(blender):
    """What the stand-in does with bytes."""
    command = blender.catalogue.command

    @command("bytes.take")
    def take(*, co: Annotated[Part, Array("<f4", 3)]) -> Any:
        """Take points."""
        return {"numbers": list(array("f", bytes(co.data))), "shape": list(co.shape or ())}

    @command("bytes.any")
    def any_(*, values: Part) -> Any:
        """Take anything."""
        return {"bytes": bytes(values.data).hex(), "dtype": values.dtype}

    @command("bytes.files")
    def files_(*, content: dict[str, Part]) -> Any:
        """Take files."""
        return {name: bytes(part.data).decode() for name, part in content.items()}

    @command("bytes.give")
    def give() -> dict[str, Part]:
        """Give an array and a file."""
        return {"co": Part(RAW, dtype="<f4", shape=(2, 3)), "doc": Part(b"text", media_type="text/plain")}

    @command("bytes.see")
    def see(*, width: int, height: int, media_type: str = "image/png") -> Seen:
        """Give a picture."""
        kind = {"image/png": "PNG", "image/jpeg": "JPEG"}.get(media_type)
        data = picture(width, height, kind) if kind else b"v/1\x01 and so on"
        return {"image": Part(data, media_type=media_type), "width": width}

    return blender


async def taker(there):
    caller = await there.caller()
    await until(lambda: there.line.pool().live)
    return caller


async def test_points_may_be_numbers_base64_or_files(commands, wires, listen, tmp_path):
    (tmp_path / "raw.bin").write_bytes(RAW)
    (tmp_path / "points.npy").write_bytes(npy(Part(RAW, dtype="<f4", shape=(2, 3))))
    given = [
        POINTS,
        {"numbers": POINTS},
        {"base64": base64.b64encode(RAW).decode()},
        {"file": str(tmp_path / "raw.bin")},
        {"file": str(tmp_path / "points.npy")},
    ]
    async with house(wires, listen) as there:
        caller = await taker(there)
        for co in given:
            result = await caller.call("bytes_take", co=co)
            assert result["structuredContent"] == {"numbers": POINTS, "shape": [2, 3]}, co


async def test_what_cannot_be_points_is_told_before_anything_is_sent(commands, wires, listen, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "ints.npy").write_bytes(npy(Part(b"\0" * 12, dtype="<i4", shape=(3,))))
    (tmp_path / "bad.npy").write_bytes(b"\x93NUMPY\x01\x00\x10\x00{'descr': [[[[[[")
    given = [
        [1, 2],
        [[1, 2, 3]],
        ["x"],
        {"base64": "!"},
        {"base64": "é"},
        {"base64": base64.b64encode(b"12345").decode()},
        {"file": "relative"},
        {"file": str(tmp_path / "nowhere")},
        {"file": str(tmp_path)},
        {"file": str(tmp_path / "pipe")},
        {"file": "/dev/zero"},
        {"file": "a\0b"},
        {"file": str(tmp_path / "ints.npy")},
        {"file": str(tmp_path / "bad.npy")},
        {"$part": "co"},
        7,
        None,
        "text",
    ]
    async with house(wires, listen) as there:
        caller = await taker(there)
        for co in given:
            result = await caller.call("bytes_take", co=co)
            told = result["structuredContent"]["error"]
            assert (told["code"], told["outcome"]) == ("invalid_params", "not_executed"), co
            assert "co" in told["message"]


async def test_a_file_that_is_too_large_is_not_read(commands, wires, listen, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LARGEST", 10)
    (tmp_path / "large").write_bytes(b"x" * 11)
    async with house(wires, listen) as there:
        result = await (await taker(there)).call("bytes_any", values={"file": str(tmp_path / "large")})
        assert "11 bytes" in result["structuredContent"]["error"]["message"]


async def test_where_the_command_leaves_the_type_open_the_call_says_it(commands, wires, listen, tmp_path):
    (tmp_path / "ints.npy").write_bytes(npy(Part(struct.pack("<2i", 1, 2), dtype="<i4", shape=(2,))))
    async with house(wires, listen) as there:
        caller = await taker(there)
        result = await caller.call("bytes_any", values={"numbers": [1, 2], "dtype": "<i4"})
        assert result["structuredContent"] == {"bytes": struct.pack("<2i", 1, 2).hex(), "dtype": "<i4"}
        result = await caller.call("bytes_any", values={"file": str(tmp_path / "ints.npy")})
        assert result["structuredContent"] == {"bytes": struct.pack("<2i", 1, 2).hex(), "dtype": "<i4"}
        result = await caller.call("bytes_any", values={"base64": "aGk="})
        assert result["structuredContent"] == {"bytes": b"hi".hex(), "dtype": None}
        for values in ([1, 2], {"numbers": [1], "dtype": "<f8"}, {"numbers": [1], "dtype": []}):
            assert "dtype" in (await caller.call("bytes_any", values=values))["structuredContent"]["error"]["message"]


async def test_files_may_come_by_name(commands, wires, listen):
    async with house(wires, listen) as there:
        content = {"a.obj": {"base64": "aGk="}, "b.mtl": {"base64": "eW91"}}
        result = await (await taker(there)).call("bytes_files", content=content)
        assert result["structuredContent"] == {"a.obj": "hi", "b.mtl": "you"}


async def test_what_is_binary_in_a_result_is_summarised(commands, wires, listen):
    async with house(wires, listen) as there:
        result = await (await taker(there)).call("bytes_give")
        assert result["structuredContent"] == {
            "co": {"bytes": 24, "dtype": "<f4", "shape": [2, 3], "first": POINTS},
            "doc": {"bytes": 4, "media_type": "text/plain"},
        }
        assert json.loads(result["content"][0]["text"]) == result["structuredContent"]


async def test_it_can_be_saved_and_nothing_is_overwritten(commands, wires, listen, tmp_path):
    async with house(wires, listen) as there:
        caller = await taker(there)
        for suffix in ("", "-2"):
            value = (await caller.call("bytes_give", save_to=str(tmp_path)))["structuredContent"]
            assert value["co"]["saved_to"] == str(tmp_path / f"co{suffix}.npy")
            assert array_in((tmp_path / f"co{suffix}.npy").read_bytes()) == ("<f4", RAW)
            assert (tmp_path / f"doc{suffix}").read_bytes() == b"text"


async def test_where_it_cannot_be_saved_that_is_told_before_anything_runs(commands, wires, listen, tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "out").symlink_to(tmp_path)
    async with house(wires, listen, folders=[inside]) as there:
        caller = await taker(there)
        for place in ("relative", str(tmp_path / "nowhere"), "a\0b", str(tmp_path), str(inside / "out"), 7):
            told = (await caller.call("bytes_give", save_to=place))["structuredContent"]["error"]
            assert (told["code"], told["outcome"]) == ("invalid_params", "not_executed")
        value = (await caller.call("bytes_give", save_to=str(inside)))["structuredContent"]
        assert value["co"]["saved_to"] == str(inside / "co.npy")


def shown(result) -> Image.Image:
    [text, image] = result["content"]
    assert "structuredContent" not in result
    assert json.loads(text["text"])["image"]["bytes"] > 0
    found = Image.open(io.BytesIO(base64.b64decode(image["data"])))
    assert image["mimeType"] == Image.MIME[found.format]
    return found


@pytest.mark.parametrize("media_type", ["image/png", "image/jpeg"])
async def test_a_picture_is_shown_and_is_no_larger_than_asked_for(commands, wires, listen, media_type):
    async with house(wires, listen) as there:
        caller = await taker(there)
        see = {"height": 1000, "media_type": media_type}
        assert shown(await caller.call("bytes_see", width=2000, **see)).size == (1024, 512)
        assert shown(await caller.call("bytes_see", width=500, **see, max_size=100)).size == (50, 100)
        found = shown(await caller.call("bytes_see", width=500, **see, max_size=4096))
        assert found.size == (500, 1000)
        assert found.get_format_mimetype() == media_type


@pytest.mark.parametrize("max_size", [63, 4097, "large", 100.5, True, None])
async def test_a_size_that_is_none_is_told_before_anything_runs(commands, wires, listen, max_size):
    async with house(wires, listen) as there:
        result = await (await taker(there)).call("bytes_see", width=8, height=8, max_size=max_size)
        assert "max_size" in result["structuredContent"]["error"]["message"]


@pytest.mark.parametrize("media_type", ["image/x-exr", "image/webp"])
async def test_what_nobody_can_show_is_summarised(commands, wires, listen, media_type):
    async with house(wires, listen) as there:
        result = await (await taker(there)).call("bytes_see", width=8, height=8, media_type=media_type)
        assert result["structuredContent"]["image"]["media_type"] == media_type
        assert ("not_shown" in result["structuredContent"]["image"]) is (media_type == "image/webp")


async def test_the_last_picture_can_be_read_again(commands, wires, listen):
    async with house(wires, listen) as there:
        caller, other = await taker(there), await there.caller()
        uri = {"uri": "blender://render/last"}
        assert "no picture" in (await caller.ask("resources/read", uri))["error"]["message"]
        seen = await caller.call("bytes_see", width=8, height=8)
        [read] = (await caller.ask("resources/read", uri))["result"]["contents"]
        assert read["blob"] == seen["content"][1]["data"]
        assert "error" in await other.ask("resources/read", uri)


def test_an_array_file_is_what_numpy_reads():
    numpy = pytest.importorskip("numpy")
    data = npy(Part(RAW, dtype="<f4", shape=(2, 3)))
    assert numpy.load(io.BytesIO(data)).tolist() == [POINTS[:3], POINTS[3:]]
    file = io.BytesIO()
    numpy.save(file, numpy.array([[1, 2]], "<i4"))
    assert array_in(file.getvalue()) == ("<i4", struct.pack("<2i", 1, 2))
    file = io.BytesIO()
    numpy.save(file, numpy.asfortranarray(numpy.ones((2, 3), "<f4")))
    with pytest.raises(ValueError, match="Fortran"):
        array_in(file.getvalue())


@pytest.mark.parametrize("data", [b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00", b"\x93NUMPY\x01\x00\xff\xff{}", b"PK\3\4"])
def test_what_is_no_array_file_is_refused(data):
    with pytest.raises(ValueError, match="npy"):
        array_in(data)
