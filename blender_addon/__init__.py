"""The part of bpy-bridge that runs inside Blender: standard library and bpy alone, Blender 3.4 to 5.x.

wire         the whole protocol, sans-IO; the bridge imports it too
registry     @command: a function's signature is its schema, its validation and its documentation
commands     what Blender can be asked to do, one file per family; bpy is imported inside the functions
listener     accepts sockets; connection: one I/O thread each, which answers pings whatever Blender is doing
intake       a request's checks, on its I/O thread; keys: each idempotency key runs once
pump         the queue of work, and the main thread that does it; interrupt: how running work is stopped
headless     a worker in the bpy wheel, or under `blender -b`

A request's way: listener → connection → intake → pump → command → bpy, and back through the pump to its connection.
"""
