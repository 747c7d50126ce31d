# pip install platformdirs
import os

os.environ.update(HOME="/home/u", XDG_CACHE_HOME="/c")
os.environ.pop("XDG_CONFIG_HOME", None)
import platformdirs

print(platformdirs.user_cache_dir("App", "Me"), platformdirs.user_config_dir("App"), platformdirs.user_data_path("A", version="1"))
