# pip install falcon
import falcon
from falcon import testing


class Things:
    def on_get(self, req, resp, id):
        resp.media = {"id": id, "q": req.get_param_as_int("n")}

    def on_post(self, req, resp, id):
        raise falcon.HTTPConflict(title="no", description="id %d" % id)


app = falcon.App()
app.add_route("/things/{id:int}", Things())
client = testing.TestClient(app)
print(client.simulate_get("/things/3", params={"n": 4}).json, client.simulate_get("/x").status)
answer = client.simulate_post("/things/5")
print(answer.status, answer.json)
