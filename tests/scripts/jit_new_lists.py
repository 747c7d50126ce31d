# Lists that compiled code makes keep their items, whichever of its allocations the collector runs at: the library's
# allocator of shared memory makes and drops lists of blocks all the time, here while cycles are collected.
import gc
from multiprocessing import heap

thresholds = gc.get_threshold()
gc.set_threshold(10)
for _ in range(5_000):
    first, second = heap.BufferWrapper(1), heap.BufferWrapper(1)
    first.other, second.other = second, first
gc.set_threshold(*thresholds)
