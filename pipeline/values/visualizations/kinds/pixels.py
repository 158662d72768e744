"""Arrays that look like images, and how to show them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..summary import Picture
from . import png

_LEAST = 8  # fewer rows or columns are a small table of numbers
_MOST = 20_000
_NARROWEST = 8  # how many times as long as wide a picture may be
_SHOWN = 512
_TILES = 25


def picture(array: np.ndarray[Any, Any]) -> Picture | None:
    """The picture that an array holds: one image, or the first ones of a stack. None if it does not look like one."""
    images = _images(array)
    if images is None:
        return None
    some = _reduced(images[:_TILES])
    pixels = _bytes(some)
    if pixels is None:
        return None
    sheet = _sheet(pixels) if len(pixels) > 1 else pixels[0]
    caption = f"The first {len(pixels)} of {len(images)} images" if len(images) > 1 else "As an image"
    return Picture(png.encode(sheet), sheet.shape[1], sheet.shape[0], caption)


def _images(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
    """The array as number x height x width x channels, if its shape can be that of images."""
    if array.dtype.kind not in "biuf" or not array.size:
        return None
    if array.ndim == 2:
        found = array[None, :, :, None]
    elif array.ndim == 3:
        found = array[None] if array.shape[-1] in (3, 4) else array[..., None]
    elif array.ndim == 4 and array.shape[-1] in (1, 3, 4):
        found = array
    else:
        return None
    height, width = found.shape[1:3]
    sizes = min(height, width) >= _LEAST and max(height, width) <= min(_MOST, _NARROWEST * min(height, width))
    return found if sizes else None


def _reduced(images: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """At most `_SHOWN` pixels wide and high, by leaving out rows and columns."""
    room = _SHOWN if len(images) == 1 else _SHOWN // math.isqrt(_TILES)
    step = max(1, math.ceil(max(images.shape[1:3]) / room))
    return images[:, ::step, ::step]


def _bytes(images: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
    """Numbers from 0 to 1, from 0 to 255, or truth values as bytes; None for others, which are measurements."""
    if images.dtype.kind == "b":
        return images.astype(np.uint8) * np.uint8(255)
    low, high = images.min(), images.max()
    if not low >= 0:  # NaN neither
        return None
    if high > 255:
        return None
    if images.dtype.kind in "iu" or (high > 1 and (images == np.floor(images)).all()):
        scale = 255 // int(high) if images.dtype != np.uint8 and 0 < high <= 16 else 1  # as in digits of 16 greys
        return images.astype(np.uint8) * np.uint8(scale)
    return (images * 255).round().astype(np.uint8) if high <= 1 else None


def _sheet(images: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Images side by side, in rows, a pixel apart."""
    number, height, width, channels = images.shape
    across = math.ceil(math.sqrt(number))
    down = math.ceil(number / across)
    sheet = np.full((down * (height + 1) - 1, across * (width + 1) - 1, channels), 128, np.uint8)
    for at, image in enumerate(images):
        row, column = divmod(at, across)
        top, left = row * (height + 1), column * (width + 1)
        sheet[top : top + height, left : left + width] = image
    return sheet
