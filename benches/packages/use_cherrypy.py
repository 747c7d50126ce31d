# pip install cherrypy
import cherrypy
from cherrypy.test import helper
import urllib.request


class Root:
    @cherrypy.expose
    def index(self, name="x"):
        return "hello " + name

    @cherrypy.expose
    @cherrypy.tools.json_out()
    def data(self):
        return {"a": [1, 2]}


cherrypy.config.update({"server.socket_port": 0, "server.socket_host": "127.0.0.1", "log.screen": False, "engine.autoreload.on": False, "checker.on": False})
cherrypy.server.socket_port = 0
cherrypy.tree.mount(Root())
cherrypy.engine.start()
host, port = cherrypy.server.bound_addr
for path in ("/?name=ann", "/data"):
    print(urllib.request.urlopen(f"http://{host}:{port}{path}").read())
cherrypy.engine.exit()
