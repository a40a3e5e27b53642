-- hand-written: whatever creates something commits by itself, and does nothing where the thing is there

