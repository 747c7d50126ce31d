"""The encodings of Taiwan."""

from _multibytecodec import _family

getcodec = _family("big5", "cp950")
