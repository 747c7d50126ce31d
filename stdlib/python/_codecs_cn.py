"""The encodings of mainland China."""

from _multibytecodec import _family

getcodec = _family("gb2312", "gbk", "gb18030", "hz")
