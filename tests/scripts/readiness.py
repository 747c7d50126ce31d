import os
import select

r, w = os.pipe()
ep = select.epoll()
ep.register(r, select.EPOLLIN)
assert ep.poll(0) == []
os.write(w, b"x")
assert ep.poll(1) == [(r, select.EPOLLIN)]
assert select.select([r], [], [], 0) == ([r], [], [])
p = select.poll()
p.register(r, select.POLLIN)
assert p.poll(0) == [(r, select.POLLIN)]
assert os.read(r, 10) == b"x"
ep.unregister(r)
ep.close()
assert ep.closed
os.close(r)
os.close(w)
