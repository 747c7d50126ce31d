"""The encodings that switch between character sets by escape sequences."""

from _multibytecodec import _family

getcodec = _family(
    "iso2022_kr",
    "iso2022_jp",
    "iso2022_jp_1",
    "iso2022_jp_2",
    "iso2022_jp_2004",
    "iso2022_jp_3",
    "iso2022_jp_ext",
)
