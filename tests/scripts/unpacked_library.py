# Skein alone
# The library's files are found on disk, by the names that modules and codes give, once somebody looks for them.
import inspect
import json.decoder
import linecache
import os
import subprocess
import sys
import sysconfig
import tempfile

with tempfile.TemporaryDirectory() as folder:
    program = os.path.join(folder, "looks.py")
    with open(program, "w") as f:
        f.write(
            """if True:
            import json.decoder, os, sys, sysconfig, traceback
            library = sys._stdlib_dir
            assert library.startswith(os.environ["XDG_CACHE_HOME"]) and library in sys.path, library
            assert sysconfig.get_path("stdlib") == library
            assert json.decoder.__file__ == library + "/json/decoder.py", json.decoder.__file__
            assert json.__path__ == [library + "/json"]
            assert json.loads.__code__.co_filename == library + "/json/__init__.py"
            # Texts of tracebacks are no reason to unpack anything.
            try:
                json.loads("[")
            except ValueError:
                assert "raise JSONDecodeError" in traceback.format_exc()
            assert os.listdir(os.environ["XDG_CACHE_HOME"]) == []
            with open(json.decoder.__file__) as f:
                assert "class JSONDecoder" in f.read()
            found = os.listdir(library)
            assert "json" in found and "os.py" in found, found
            assert [e.name for e in os.scandir(library + "/json") if e.name == "decoder.py"]
            assert os.path.isdir(library + "/venv/scripts/common")
            assert not os.path.exists(library + "/nothing.py")
            assert os.listdir(os.path.dirname(library)) == [os.path.basename(library)]
            import json.tool
            assert json.tool.__file__ == library + "/json/tool.py"
            """
        )
    caches = os.path.join(folder, "caches")
    os.mkdir(caches)
    environment = {**os.environ, "XDG_CACHE_HOME": caches}
    for again in "no", "yes":
        done = subprocess.run([sys.executable, program], env=environment, capture_output=True, text=True)
        if again == "yes":
            assert "os.listdir(os.environ" in done.stderr, done.stderr
        else:
            assert done.returncode == 0, done.stderr
    # A program may be named by its place there, before anything is unpacked.
    os.mkdir(os.path.join(folder, "others"))
    environment["XDG_CACHE_HOME"] = os.path.join(folder, "others")
    ask = [sys.executable, "-c", "import json.tool; print(json.tool.__file__)"]
    tool = subprocess.run(ask, env=environment, capture_output=True, text=True).stdout.strip()
    done = subprocess.run([sys.executable, tool], input="[1]", env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["[", "1", "]"], done
    # Where nothing can be written, files are missing, and all else works.
    environment["XDG_CACHE_HOME"] = program
    code = """if True:
        import json, linecache, os
        assert json.loads("[1]") == [1] and not os.path.exists(json.__file__)
        assert linecache.getline(json.__file__, 1)
        try:
            open(json.__file__)
        except OSError:
            print("missing")
    """
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout == "missing\n", done

assert inspect.getsourcefile(json.decoder.JSONDecoder) == json.decoder.__file__
assert "class JSONDecoder" in inspect.getsource(json.decoder.JSONDecoder)
assert linecache.getline(json.decoder.__file__, 1).startswith('"""')
