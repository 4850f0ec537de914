"""One asymmetric scene with gradients, fine detail, grain and three marks, at any size.

Every picture shows it, so that a turned, shifted or miscoloured result differs from `scene` widely.
"""
import numpy as np


def scene(width, height):
    """float64 array height × width × 3, gamma-encoded sRGB from 0 to 1."""
    y, x = np.mgrid[0:height, 0:width]
    grain = ((x * 73856093 ^ y * 19349663 ^ (x * y * 83492791)) % 1009) / 1009 - 0.5
    x, y = (x + 0.5) / width, (y + 0.5) / height
    weave = 0.06 * np.sin(2 * np.pi * (9 * x + 4 * y)) * np.sin(2 * np.pi * (3 * x - 7 * y))
    rgb = np.stack([0.12 + 0.65 * x, 0.15 + 0.6 * y, 0.75 - 0.5 * x * (1 - y)], axis=-1)
    rgb += (weave + 0.03 * grain)[..., None]
    rgb[(x - 0.2) ** 2 + (y - 0.25) ** 2 < 0.012] = [0.85, 0.12, 0.1]
    rgb[(x > 0.7) & (y < 0.35) & (x - 0.7 > 0.35 - y)] = [0.95, 0.9, 0.2]
    rgb[(y > 0.75) & (y < 0.82) & (x < 0.6)] = [0.1, 0.45, 0.2]
    return rgb.clip(0, 1)


def alpha(width, height):
    """float64 array height × width from 0 (the lower right corner, some columns wide) to 1."""
    y, x = np.mgrid[0:height, 0:width]
    far = np.hypot(1 - (x + 0.5) / width, 1 - (y + 0.5) / height)
    return ((far - 0.2) / 0.6).clip(0, 1)


def grey(rgb):
    """BT.601 luma of an array … × 3."""
    return rgb @ [0.299, 0.587, 0.114]


def to8(values):
    return np.rint(values * 255).astype(np.uint8)


def to16(values):
    return np.rint(values * 65535).astype(np.uint16)


def ycbcr(rgb):
    """Full-range BT.601 planes, from 0 to 1, as JFIF has them."""
    y = grey(rgb)
    return np.stack([y, (rgb[..., 2] - y) / 1.772 + 128 / 255, (rgb[..., 0] - y) / 1.402 + 128 / 255], -1).clip(0, 1)


def cmyk(rgb):
    """Ink from 0 (none) to 1 with full grey-component replacement."""
    k = 1 - rgb.max(axis=-1, keepdims=True)
    return np.concatenate([1 - rgb / (1 - k).clip(1e-9), k], axis=-1).clip(0, 1)


def linear(rgb):
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def unlinear(light):
    light = light.clip(0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
