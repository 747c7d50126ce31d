"""The encoding of Hong Kong."""

from _multibytecodec import _family

getcodec = _family("big5hkscs")
