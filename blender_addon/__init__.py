"""bpy-bridge."""
