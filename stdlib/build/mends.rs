//! Faults of the library's files that CPython 3.14 has mended since the version that is packed, mended here as well.

use crate::patches::Patch;

pub const MENDS: &[Patch] = &[
    Patch {
        path: "concurrent/interpreters/_queues.py",
        from: "            end = time.time() + timeout\n        while True:\n            try:\n                _queues.put(",
        to: "            end = time.monotonic() + timeout\n        while True:\n            try:\n                _queues.put(",
        why: "timeouts went by a clock that may be set",
    },
    Patch {
        path: "concurrent/interpreters/_queues.py",
        from: "            except QueueFull as exc:\n                if timeout is not None and time.time() >= end:",
        to: "            except QueueFull as exc:\n                if timeout is not None and time.monotonic() >= end:",
        why: "timeouts went by a clock that may be set",
    },
    Patch {
        path: "concurrent/interpreters/_queues.py",
        from: "            end = time.time() + timeout\n        while True:\n            try:\n                obj, unboundop",
        to: "            end = time.monotonic() + timeout\n        while True:\n            try:\n                obj, unboundop",
        why: "timeouts went by a clock that may be set",
    },
    Patch {
        path: "concurrent/interpreters/_queues.py",
        from: "            except QueueEmpty as exc:\n                if timeout is not None and time.time() >= end:",
        to: "            except QueueEmpty as exc:\n                if timeout is not None and time.monotonic() >= end:",
        why: "timeouts went by a clock that may be set",
    },
    Patch {
        path: "asyncio/base_events.py",
        from: "                self.close()\n                await self.wait_closed()\n            finally:\n                raise\n",
        to: "                self.close()\n                self.close_clients()\n                await self.wait_closed()\n            finally:\n                raise\n",
        why: "a server that is cancelled waited for clients that hang",
    },
    Patch {
        path: "asyncio/base_events.py",
        from: "        sock.setblocking(False)\n\n        protocol = protocol_factory()\n        waiter = self.create_future()\n        if ssl:\n            sslcontext = None if isinstance(ssl, bool) else ssl\n            transport = self._make_ssl_transport(\n                sock, protocol, sslcontext, waiter,\n                server_side=server_side, server_hostname=server_hostname,\n                ssl_handshake_timeout=ssl_handshake_timeout,\n                ssl_shutdown_timeout=ssl_shutdown_timeout)\n        else:\n            transport = self._make_socket_transport(sock, protocol, waiter)\n\n",
        to: r#"        transport = None
        try:
            sock.setblocking(False)
            protocol = protocol_factory()
            waiter = self.create_future()
            if ssl:
                transport = self._make_ssl_transport(
                    sock, protocol, None if isinstance(ssl, bool) else ssl, waiter,
                    server_side=server_side, server_hostname=server_hostname,
                    ssl_handshake_timeout=ssl_handshake_timeout,
                    ssl_shutdown_timeout=ssl_shutdown_timeout)
            else:
                transport = self._make_socket_transport(sock, protocol, waiter)
        finally:
            if transport is None:
                sock.close()

"#,
        why: "a socket for which no transport could be made stayed open",
    },
    Patch {
        path: "asyncio/base_subprocess.py",
        from: "        self._exit_waiters = []\n",
        to: "        self._exit_waiters = set()\n",
        why: "who waits for a process's end is told when it ends, and not when its pipes are closed",
    },
    Patch {
        path: "asyncio/base_subprocess.py",
        from: "        self._pipes_connected = False\n",
        to: "",
        why: "as above",
    },
    Patch {
        path: "asyncio/base_subprocess.py",
        from: "                waiter.set_result(None)\n            self._pipes_connected = True\n",
        to: "                waiter.set_result(None)\n",
        why: "as above",
    },
    Patch {
        path: "asyncio/base_subprocess.py",
        from: "        self._call(self._protocol.process_exited)\n\n",
        to: "        self._call(self._protocol.process_exited)\n        waiters, self._exit_waiters = self._exit_waiters, None\n        for one in waiters:\n            if not one.done():\n                one.set_result(returncode)\n\n",
        why: "as above",
    },
    Patch {
        path: "asyncio/base_subprocess.py",
        from: "        self._exit_waiters.append(waiter)\n        return await waiter\n",
        to: "        self._exit_waiters.add(waiter)\n        try:\n            return await waiter\n        finally:\n            if self._exit_waiters:\n                self._exit_waiters.discard(waiter)\n",
        why: "as above",
    },
    Patch {
        path: "asyncio/base_subprocess.py",
        from: r#"        if not self._pipes_connected:
            # self._pipes_connected can be False if not all pipes were connected
            # because either the process failed to start or the self._connect_pipes task
            # got cancelled. In this broken state we consider all pipes disconnected and
            # to avoid hanging forever in self._wait as otherwise _exit_waiters
            # would never be woken up, we wake them up here.
            for waiter in self._exit_waiters:
                if not waiter.done():
                    waiter.set_result(self._returncode)
        if all("#,
        to: "        if all(",
        why: "as above",
    },
    Patch {
        path: "asyncio/base_subprocess.py",
        from: r#"            # wake up futures waiting for wait()
            for waiter in self._exit_waiters:
                if not waiter.done():
                    waiter.set_result(self._returncode)
            self._exit_waiters = None
"#,
        to: "",
        why: "as above",
    },
    Patch {
        path: "asyncio/base_subprocess.py",
        from: "            self._check_proc()\n            try:\n                os.kill(",
        to: "            self._check_proc()\n            if self._returncode is not None:\n                return\n            try:\n                os.kill(",
        why: "the number of a process that has ended may be another's by now",
    },
    Patch {
        path: "asyncio/base_subprocess.py",
        from: "        except BaseException as exc:\n            if waiter is not None and not waiter.cancelled():\n",
        to: "        except BaseException as exc:\n            connected = [one.pipe for one in self._pipes.values() if one is not None]\n            for one in (*connected, proc.stdin, proc.stdout, proc.stderr):\n                if one is not None:\n                    one.close()\n            if waiter is not None and not waiter.cancelled():\n",
        why: "pipes stayed open where one of them could not be connected",
    },
    Patch {
        path: "asyncio/graph.py",
        from: "            st.append(FrameCallGraphEntry(coro.cr_frame))\n            coro = coro.cr_await\n",
        to: "            if (frame := coro.cr_frame) is not None:\n                st.append(FrameCallGraphEntry(frame))\n            coro = coro.cr_await\n",
        why: "a coroutine that is done has no frame",
    },
    Patch {
        path: "asyncio/graph.py",
        from: "            is_async = f.f_generator is not None\n",
        to: "            is_async = hasattr(f.f_generator, 'cr_await') or hasattr(f.f_generator, 'ag_await')\n",
        why: "a plain generator does not end a chain of calls",
    },
    Patch {
        path: "asyncio/selector_events.py",
        from: "        fd = sock.fileno()\n        try:\n            conn, address = sock.accept()\n",
        to: "        if fut.done():  # cancelled meanwhile\n            return\n        fd = sock.fileno()\n        try:\n            conn, address = sock.accept()\n",
        why: "a connection was accepted for nobody",
    },
    Patch {
        path: "asyncio/selector_events.py",
        from: "                if self._closing:\n                    self._call_connection_lost(None)\n                elif self._eof:\n                    self._sock.shutdown(socket.SHUT_WR)\n\n    def _adjust_leftover_buffer",
        to: "                if self._closing:\n                    self._lose_once()\n                elif self._eof:\n                    self._sock.shutdown(socket.SHUT_WR)\n\n    def _lose_once(self):\n        # A protocol that resumes may have closed the transport already.\n        if self._conn_lost == 0:\n            self._conn_lost = 1\n            self._call_connection_lost(None)\n\n    def _adjust_leftover_buffer",
        why: "connection_lost was called twice",
    },
    Patch {
        path: "asyncio/selector_events.py",
        from: "                if self._closing:\n                    self._call_connection_lost(None)\n                elif self._eof:\n                    self._sock.shutdown(socket.SHUT_WR)\n\n    def write_eof",
        to: "                if self._closing:\n                    self._lose_once()\n                elif self._eof:\n                    self._sock.shutdown(socket.SHUT_WR)\n\n    def write_eof",
        why: "as above",
    },
    Patch {
        path: "asyncio/selector_events.py",
        from: "        self._buffer.extend([memoryview(data) for data in list_of_data])\n        self._write_ready()\n",
        to: "        self._buffer.extend(memoryview(data) for data in list_of_data if data)\n        if not self._buffer:\n            return\n        self._write_ready()\n",
        why: "an empty piece was never taken from the buffer",
    },
    Patch {
        path: "asyncio/streams.py",
        from: "        self._over_ssl = transport.get_extra_info('sslcontext') is not None\n\n    def connection_made",
        to: "        self._over_ssl = transport.get_extra_info('sslcontext') is not None\n        if (reader := self._stream_reader) is not None:\n            reader._transport = transport\n\n    def connection_made",
        why: "after `start_tls` the reader paused the transport below",
    },
    Patch {
        path: "asyncio/streams.py",
        from: "            res = self._client_connected_cb(reader, writer)\n",
        to: r#"            try:
                res = self._client_connected_cb(reader, writer)
            except Exception as failure:
                self._strong_reader = None
                transport.close()
                context = {
                    'message': 'Unhandled exception in client_connected_cb',
                    'exception': failure,
                    'transport': transport,
                }
                self._loop.call_exception_handler(context)
                return
"#,
        why: "a plain function that failed left the connection open",
    },
    Patch {
        path: "asyncio/tasks.py",
        from: "            f.remove_done_callback(_on_completion)\n\n    done, pending",
        to: "            f.remove_done_callback(_on_completion)\n            futures.future_discard_from_awaited_by(f, cur_task)\n\n    done, pending",
        why: "what was waited for in vain named its waiter for ever",
    },
    Patch {
        path: "asyncio/tasks.py",
        from: "    fut.add_done_callback(cb)\n\n    try:\n        fut.cancel()\n",
        to: "    fut.add_done_callback(cb)\n    waiting = current_task()\n    futures.future_add_to_awaited_by(fut, waiting)\n\n    try:\n        fut.cancel()\n",
        why: "the graph of waiting tasks had a gap",
    },
    Patch {
        path: "asyncio/tasks.py",
        from: "        await waiter\n    finally:\n        fut.remove_done_callback(cb)\n",
        to: "        await waiter\n    finally:\n        futures.future_discard_from_awaited_by(fut, waiting)\n        fut.remove_done_callback(cb)\n",
        why: "as above",
    },
    Patch {
        path: "asyncio/tasks.py",
        from: "        todo = {ensure_future(aw, loop=loop) for aw in set(aws)}\n        for f in todo:\n            f.add_done_callback(self._handle_completion)\n",
        to: "        todo = {ensure_future(aw, loop=loop) for aw in set(aws)}\n        self._waiting = current_task()\n        for f in todo:\n            f.add_done_callback(self._handle_completion)\n            futures.future_add_to_awaited_by(f, self._waiting)\n",
        why: "as above",
    },
    Patch {
        path: "asyncio/tasks.py",
        from: "            f.remove_done_callback(self._handle_completion)\n            self._done.put_nowait(None)",
        to: "            f.remove_done_callback(self._handle_completion)\n            futures.future_discard_from_awaited_by(f, self._waiting)\n            self._done.put_nowait(None)",
        why: "as above",
    },
    Patch {
        path: "asyncio/tasks.py",
        from: "    def _handle_completion(self, f):\n",
        to: "    def _handle_completion(self, f):\n        futures.future_discard_from_awaited_by(f, self._waiting)\n",
        why: "as above",
    },
    Patch {
        path: "asyncio/tasks.py",
        from: "    outer = _GatheringFuture(children, loop=loop)\n    # Run",
        to: r#"    outer = _GatheringFuture(children, loop=loop)
    if cur_task is not None:
        def _forget_waiter(_):
            for fut in children:
                futures.future_discard_from_awaited_by(fut, cur_task)
        outer.add_done_callback(_forget_waiter)
    # Run"#,
        why: "as above, for what outlives gather()",
    },
    Patch {
        path: "asyncio/tasks.py",
        from: "            inner.remove_done_callback(_inner_done_callback)\n",
        to: "            inner.remove_done_callback(_inner_done_callback)\n            if cur_task is not None:\n                inner.remove_done_callback(_clear_awaited_by_callback)\n                _clear_awaited_by_callback(inner)\n",
        why: "as above, for what outlives shield()",
    },
    Patch {
        path: "asyncio/unix_events.py",
        from: "            transp.close()\n            await transp._wait()\n            raise\n",
        to: "            transp.close()\n            await tasks.shield(transp._wait())\n            raise\n",
        why: "a second cancellation is not to reach who else waits for the process",
    },
    Patch {
        path: "asyncio/unix_events.py",
        from: "        self.call_soon_threadsafe(transp._process_exited, returncode)\n",
        to: "        transp._process_exited(returncode)\n",
        why: "watchers call it in the loop's thread, where nothing may come between the process's end and its note",
    },
    Patch {
        path: "asyncio/unix_events.py",
        from: r#"        try:
            pid, status = os.waitpid(expected_pid, 0)
        except ChildProcessError:
            # The child process is already reaped
            # (may happen if waitpid() is called elsewhere).
            pid = expected_pid
            returncode = 255
            logger.warning(
                "Unknown child process pid %d, will report returncode 255",
                pid)
        else:
            returncode = waitstatus_to_exitcode(status)
            if loop.get_debug():
                logger.debug('process %s exited with returncode %s',
                             expected_pid, returncode)

        if loop.is_closed():
            logger.warning("Loop %r that handles pid %r is closed", loop, pid)
        else:
            loop.call_soon_threadsafe(callback, pid, returncode, *args)

        self._threads.pop(expected_pid)
"#,
        to: r#"        try:
            # The process stays a zombie, whose number is nobody else's, until the loop's thread takes note of its end.
            os.waitid(os.P_PID, expected_pid, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:
            pass  # waited for elsewhere, as will be seen

        try:
            if loop.is_closed():
                raise RuntimeError
            loop.call_soon_threadsafe(self._tell, loop, expected_pid, callback, args)
        except RuntimeError:  # closed, perhaps just now
            self._take_status(loop, expected_pid)
            logger.warning("Loop %r that handles pid %r is closed", loop, expected_pid)

        self._threads.pop(expected_pid)

    def _tell(self, loop, pid, callback, args):
        callback(pid, self._take_status(loop, pid), *args)

    def _take_status(self, loop, pid):
        try:
            _, status = os.waitpid(pid, 0)
        except ChildProcessError:
            logger.warning("Unknown child process pid %d, will report returncode 255", pid)
            return 255
        returncode = waitstatus_to_exitcode(status)
        if loop.get_debug():
            logger.debug('process %s exited with returncode %s', pid, returncode)
        return returncode
"#,
        why: "a signal could reach another process with the number of one that had ended",
    },
    Patch {
        path: "_pydatetime.py",
        from: "def _parse_isoformat_date(dtstr):\n",
        to: r#"def _iso_number(text, digits):
    """The number that just so many ASCII digits give."""
    if len(text) != digits or not (text.isascii() and text.isdigit()):
        raise ValueError("Invalid isoformat string")
    return int(text)


def _parse_isoformat_date(dtstr):
"#,
        why: "signs, spaces, underscores and digits of other scripts were taken in dates",
    },
    Patch {
        path: "_pydatetime.py",
        from: "    year = int(dtstr[0:4])\n",
        to: "    year = _iso_number(dtstr[0:4], 4)\n",
        why: "as above",
    },
    Patch {
        path: "_pydatetime.py",
        from: "        weekno = int(dtstr[pos:pos + 2])\n",
        to: "        weekno = _iso_number(dtstr[pos:pos + 2], 2)\n",
        why: "as above",
    },
    Patch {
        path: "_pydatetime.py",
        from: "            dayno = int(dtstr[pos:pos + 1])\n",
        to: "            dayno = _iso_number(dtstr[pos:pos + 1], 1)\n",
        why: "as above",
    },
    Patch {
        path: "_pydatetime.py",
        from: "        month = int(dtstr[pos:pos + 2])\n",
        to: "        month = _iso_number(dtstr[pos:pos + 2], 2)\n",
        why: "as above",
    },
    Patch {
        path: "_pydatetime.py",
        from: "        day = int(dtstr[pos:pos + 2])\n",
        to: "        day = _iso_number(dtstr[pos:pos + 2], 2)\n",
        why: "as above",
    },
    Patch {
        path: "_pydatetime.py",
        from: "        if (len_str - pos) < 2:\n            raise ValueError(\"Incomplete time component\")\n\n        time_comps[comp] = int(tstr[pos:pos+2])\n",
        to: "        time_comps[comp] = _iso_number(tstr[pos:pos+2], 2)\n",
        why: "as above",
    },
    Patch {
        path: "code.py",
        from: "        except (OverflowError, SyntaxError, ValueError):\n            # Case 1\n",
        to: "        except Exception:\n            # Case 1\n",
        why: "what else the compiler raises ended the prompt",
    },
    Patch {
        path: "pdb.py",
        from: "                except SyntaxError:\n                    continue\n",
        to: "                except Exception:\n                    continue\n",
        why: "as above, in the debugger",
    },
    Patch {
        path: "pdb.py",
        from: "            compile(expr, \"<stdin>\", \"eval\")\n        except SyntaxError as exc:\n",
        to: "            compile(expr, \"<stdin>\", \"eval\")\n        except Exception as exc:\n",
        why: "as above",
    },
    Patch {
        path: "doctest.py",
        from: "        self.seek(size)\n        StringIO.truncate(self)\n",
        to: "        if size is not None:\n            self.seek(size)\n        StringIO.truncate(self)\n",
        why: "truncate() without a size means the current position",
    },
    Patch {
        path: "doctest.py",
        from: "            file = inspect.getsourcefile(obj)\n        except TypeError:\n            source_lines = None\n",
        to: "            file = inspect.getsourcefile(obj)\n        except (OSError, TypeError):\n            source_lines = None\n",
        why: "a module without a source",
    },
    Patch {
        path: "logging/__init__.py",
        from: "                self.stream = self._open()\n        if self.stream:\n            StreamHandler.emit(self, record)\n",
        to: "                try:\n                    self.stream = self._open()\n                except Exception:\n                    return self.handleError(record)\n        if self.stream:\n            StreamHandler.emit(self, record)\n",
        why: "a file that cannot be opened late is told of as all that goes wrong in a handler",
    },
    Patch {
        path: "logging/__init__.py",
        from: "            if hdlr in self.handlers:\n                self.handlers.remove(hdlr)\n",
        to: "            if hdlr in self.handlers:\n                # A new list: the old one may just be gone through.\n                rest = list(self.handlers)\n                rest.remove(hdlr)\n                self.handlers = rest\n",
        why: "a handler that is removed while a record is handed on made the next one miss it",
    },
    Patch {
        path: "logging/config.py",
        from: "            server = self.rcvr(port=self.port, handler=self.hdlr,\n                               ready=self.ready,\n                               verify=self.verify)\n            if self.port == 0:\n",
        to: "            server = None\n            try:\n                server = self.rcvr(port=self.port, handler=self.hdlr, ready=self.ready, verify=self.verify)\n            finally:\n                if server is None:\n                    self.ready.set()\n            if self.port == 0:\n",
        why: "who waited for a listener that could not begin waited for ever",
    },
    Patch {
        path: "logging/handlers.py",
        from: "        self.reopenIfNeeded()\n        logging.FileHandler.emit(self, record)\n",
        to: "        try:\n            self.reopenIfNeeded()\n        except Exception:\n            return self.handleError(record)\n        logging.FileHandler.emit(self, record)\n",
        why: "a file that cannot be opened again is told of as all that goes wrong in a handler",
    },
    Patch {
        path: "unittest/loader.py",
        from: "        if testCaseClass in (case.TestCase, case.FunctionTestCase):\n",
        to: "        if testCaseClass in (case.TestCase, case.FunctionTestCase) or _is_abstract(testCaseClass):\n",
        why: "abstract classes of tests cannot be instantiated",
    },
    Patch {
        path: "unittest/loader.py",
        from: "                and obj not in (case.TestCase, case.FunctionTestCase)\n            ):\n",
        to: "                and obj not in (case.TestCase, case.FunctionTestCase)\n                and not _is_abstract(obj)\n            ):\n",
        why: "as above",
    },
    Patch {
        path: "unittest/loader.py",
        from: "            name = parts[-1]\n            inst = parent(name)\n",
        to: "            name = parts[-1]\n            if _is_abstract(parent):\n                raise TypeError(f\"Cannot instantiate abstract test case {parent.__name__}\")\n            inst = parent(name)\n",
        why: "as above",
    },
    Patch {
        path: "unittest/loader.py",
        from: "class TestLoader(object):\n",
        to: "def _is_abstract(cls):\n    return bool(getattr(cls, '__abstractmethods__', None))\n\n\nclass TestLoader(object):\n",
        why: "as above",
    },
    Patch {
        path: "unittest/mock.py",
        from: "    return_value = property(__get_return_value, __set_return_value,\n                            __return_value_doc)\n",
        to: "    return_value = property(__get_return_value, __set_return_value, doc=__return_value_doc)\n",
        why: "the text stood in the place of the deleter",
    },
    Patch {
        path: "unittest/mock.py",
        from: "    def _exit_side_effect(exctype, excinst, exctb):\n        handle.close()\n",
        to: "    def _exit_side_effect(*_):\n        handle.close()\n",
        why: "contextlib.ExitStack calls `__exit__` as a function of the class",
    },
    Patch {
        path: "queue.py",
        from: "        if timeout is not None and timeout < 0:\n            raise ValueError(\"'timeout' must be a non-negative number\")\n        if not self._count.acquire(block, timeout):\n",
        to: "        if not block:\n            timeout = None  # is not looked at\n        elif timeout is not None and timeout < 0:\n            raise ValueError(\"'timeout' must be a non-negative number\")\n        if not self._count.acquire(block, timeout):\n",
        why: "a limit of time has no meaning where nobody waits",
    },
    Patch {
        path: "subprocess.py",
        from: "        if self.returncode and self.returncode < 0:\n            try:\n                return \"Command '%s' died",
        to: "        if not isinstance(self.returncode, int):\n            return f\"Command '{self.cmd}' returned non-zero exit status {self.returncode}.\"\n        if self.returncode < 0:\n            try:\n                return \"Command '%s' died",
        why: "the text of an error whose code is no number",
    },
    Patch {
        path: "http/client.py",
        from: "        while True:\n            version, status, reason = self._read_status()\n            if status != CONTINUE:\n                break\n",
        to: "        interim = 0\n        while True:\n            version, status, reason = self._read_status()\n            if status != CONTINUE:\n                break\n            interim += 1\n            if interim == _MAXINTERIMRESPONSES:\n                raise HTTPException(f\"got more than {_MAXINTERIMRESPONSES} interim responses\")\n",
        why: "a server could answer `100 Continue` without end",
    },
    Patch {
        path: "http/client.py",
        from: "        ### note: we shouldn't have any trailers!\n        while True:\n",
        to: "        ### note: we shouldn't have any trailers!\n        trailers = 0\n        while True:\n",
        why: "a server could send trailers without end",
    },
    Patch {
        path: "http/client.py",
        from: "                # sending the trailer\n                break\n            if line in (b'\\r\\n', b'\\n', b''):\n                break\n\n    def _get_chunk_left",
        to: "                # sending the trailer\n                break\n            if line in (b'\\r\\n', b'\\n', b''):\n                break\n            trailers += 1\n            if trailers > _MAXHEADERS:\n                raise HTTPException(f\"got more than {_MAXHEADERS} trailers\")\n\n    def _get_chunk_left",
        why: "as above",
    },
    Patch {
        path: "http/client.py",
        from: "_MAXHEADERS = 100\n",
        to: "_MAXHEADERS = 100\n_MAXINTERIMRESPONSES = 100\n",
        why: "the bound of answers before the last one",
    },
    Patch {
        path: "imaplib.py",
        from: "            dat = self.untagged_responses.pop('CAPABILITY')[-1]\n",
        to: "            dat = self.untagged_responses['CAPABILITY'][-1]\n            if greeting:\n                del self.untagged_responses['CAPABILITY']\n",
        why: "capabilities that answer a command can be read as its response",
    },
    Patch {
        path: "imaplib.py",
        from: "    def _refresh_capabilities(self):\n",
        to: "    def _refresh_capabilities(self, greeting=False):\n",
        why: "as above",
    },
    Patch {
        path: "imaplib.py",
        from: "        self._refresh_capabilities()\n        if __debug__:\n            if self.debug >= 3:\n                self._mesg('CAPABILITIES:",
        to: "        self._refresh_capabilities(greeting=True)\n        if __debug__:\n            if self.debug >= 3:\n                self._mesg('CAPABILITIES:",
        why: "as above",
    },
    Patch {
        path: "_py_warnings.py",
        from: "                self._module.filters = self._filters[:]\n                self._showwarning = self._module.showwarning\n",
        to: "                self._module.filters = self._filters[:]\n",
        why: "a program's own `showwarning` was called for warnings that are recorded in a context",
    },
    Patch {
        path: "_py_warnings.py",
        from: "            self._module._filters_mutated_lock_held()\n            if self._record:\n",
        to: "            self._showwarning = self._module.showwarning\n            self._module._filters_mutated_lock_held()\n            if self._record:\n                self._module.showwarning = self._module._showwarning_orig\n",
        why: "as above",
    },
    Patch {
        path: "_py_warnings.py",
        from: "                    self._module._showwarnmsg_impl = log.append\n                    # Reset showwarning() to the default implementation to make sure\n                    # that _showwarnmsg() calls _showwarnmsg_impl()\n                    self._module.showwarning = self._module._showwarning_orig\n",
        to: "                    self._module._showwarnmsg_impl = log.append\n",
        why: "as above",
    },
    Patch {
        path: "_py_warnings.py",
        from: "                self._module.filters = self._filters\n                self._module.showwarning = self._showwarning\n                self._module._showwarnmsg_impl = self._showwarnmsg_impl\n",
        to: "                self._module.filters = self._filters\n                self._module._showwarnmsg_impl = self._showwarnmsg_impl\n            self._module.showwarning = self._showwarning\n",
        why: "as above",
    },
    Patch {
        path: "concurrent/futures/process.py",
        from: "                if executor := self.executor_reference():\n                    if process_exited:\n                        with self.shutdown_lock:\n                            executor._adjust_process_count()\n                    else:\n                        executor._idle_worker_semaphore.release()\n                    del executor\n",
        to: r#"                if process_exited:
                    with self.shutdown_lock:
                        lost, cause = self._replace_one()
                    if lost:
                        self.terminate_broken(cause)
                        return
                elif executor := self.executor_reference():
                    executor._idle_worker_semaphore.release()
                    del executor
"#,
        why: "where a process had done its number of tasks, none took its place if another had been idle at some time",
    },
    Patch {
        path: "concurrent/futures/process.py",
        from: "    def add_call_item_to_queue(self):\n",
        to: r#"    def _replace_one(self):
        """Starts a process in the place of one that has done its number of tasks.

        Whether nobody is left to do the work that there is, and the error that is the reason, if it is one.
        """
        executor, cause = self.executor_reference(), None
        wanted = executor is not None and not executor._ends_by_force and (
            self.pending_work_items or not self.is_shutting_down())
        if wanted and len(self.processes) < executor._max_workers:
            # The executor itself may have forgotten its queues: see shutdown().
            args = (self.call_queue, self.result_queue, executor._initializer, executor._initargs,
                    self.max_tasks_per_child)
            try:
                process = executor._mp_context.Process(target=_process_worker, args=args)
                process.start()
            except Exception as error:
                cause = format_exception(error)
            else:
                self.processes[process.pid] = process
        lost = not self.processes and bool(self.pending_work_items or cause)
        return lost, cause

    def add_call_item_to_queue(self):
"#,
        why: "as above",
    },
    Patch {
        path: "concurrent/futures/process.py",
        from: r#"        bpe = BrokenProcessPool("A process in the process pool was "
                                "terminated abruptly while the future was "
                                "running or pending.")
        if cause is not None:
            bpe.__cause__ = _RemoteTraceback(
                f"\n'''\n{''.join(cause)}'''")
"#,
        to: r#"        def broken():
            bpe = BrokenProcessPool("A process in the process pool was "
                                    "terminated abruptly while the future was "
                                    "running or pending.")
            if cause is not None:
                bpe.__cause__ = _RemoteTraceback(f"\n'''\n{''.join(cause)}'''")
            return bpe
"#,
        why: "each future has an exception of its own, whose traceback grows where it is raised",
    },
    Patch {
        path: "concurrent/futures/process.py",
        from: "                work_item.future.set_exception(bpe)\n",
        to: "                work_item.future.set_exception(broken())\n",
        why: "as above",
    },
    Patch {
        path: "concurrent/futures/process.py",
        from: "        self._idle_worker_semaphore = threading.Semaphore(0)\n",
        to: "        self._idle_worker_semaphore = threading.Semaphore(0)\n        self._ends_by_force = False\n",
        why: "a process that is started while all are ended by force would go on",
    },
    Patch {
        path: "concurrent/futures/process.py",
        from: "        if self._processes is None:\n            return\n\n        # if there's an idle",
        to: "        if self._processes is None or self._ends_by_force:\n            return\n\n        # if there's an idle",
        why: "as above",
    },
    Patch {
        path: "concurrent/futures/process.py",
        from: "        processes = {}\n        if self._processes:\n            processes = self._processes.copy()\n",
        to: "        with self._shutdown_lock:\n            self._ends_by_force = True\n            processes = dict(self._processes or {})\n",
        why: "as above",
    },
];
