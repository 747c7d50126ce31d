# pip install filelock
import os
import tempfile
import threading

from filelock import FileLock, SoftFileLock, Timeout

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "x.lock")
    lock = FileLock(path)
    with lock:
        with lock:
            print(lock.is_locked, lock.lock_counter)
        try:
            with FileLock(path, timeout=0.05):
                print("both")
        except Timeout as e:
            print("held", os.path.basename(e.lock_file))
    print(lock.is_locked)
    with SoftFileLock(os.path.join(folder, "y.lock")):
        print(os.path.exists(os.path.join(folder, "y.lock")))
