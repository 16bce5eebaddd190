# What stands on a frame buffer, read back from a picture of it by the router's own font.
import os
import re

from labkit.place import TREE

FONT = os.path.join(TREE, "drivers", "font5x7.c")
CELL_WIDTH, CELL_HEIGHT, WIDE = 6, 9, 1024  # as drivers/frame_text.h has them


def font():
    """Characters by their dots: a tuple of the bytes of the columns of a cell."""
    with open(FONT, encoding="ascii") as f:
        rows = re.findall(r"\{(0x[^}]*)\}", f.read())
    return {tuple(int(n, 16) for n in row.split(",")) + (0,): chr(ord(" ") + i) for i, row in enumerate(rows)}


def picture(path):
    """Width, height and the pixels, three bytes each, of a binary PPM."""
    with open(path, "rb") as f:
        kind, size, levels, pixels = f.read().split(b"\n", 3)
    width, height = map(int, size.split())
    assert (kind, levels, len(pixels)) == (b"P6", b"255", 3 * width * height)
    return width, height, pixels


def lines(path):
    """The lines of text; a cell that shows no character of the font is DEL."""
    characters = font()
    width, height, pixels = picture(path)
    scale = 2 if width >= WIDE else 1

    def dots(left, top):
        """A cell by one pixel of each dot."""
        return tuple(sum((pixels[3 * (y * scale * width + x * scale)] > 127) << (y - top)
                         for y in range(top, top + CELL_HEIGHT)) for x in range(left, left + CELL_WIDTH))

    return ["".join(characters.get(dots(column * CELL_WIDTH, row * CELL_HEIGHT), "\x7f")
                    for column in range(width // (CELL_WIDTH * scale))).rstrip()
            for row in range(height // (CELL_HEIGHT * scale))]
