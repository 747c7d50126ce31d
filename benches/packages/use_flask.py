# pip install flask
from flask import Flask, jsonify, render_template_string, request, session, url_for

app = Flask(__name__)
app.secret_key = "not a secret"


@app.route("/hello/<name>")
def hello(name):
    session["seen"] = session.get("seen", 0) + 1
    return render_template_string("<p>{{ name|upper }} {{ n }}</p>", name=name, n=session["seen"])


@app.post("/sum")
def total():
    return jsonify(total=sum(request.get_json()["numbers"]), link=url_for("hello", name="x"))


@app.errorhandler(404)
def missing(error):
    return "nothing at " + request.path, 404


with app.test_client() as client:
    print(client.get("/hello/ann").text, client.get("/hello/<b>").text)
    print(client.post("/sum", json={"numbers": [1, 2, 3]}).get_json())
    print(client.get("/none").status, client.get("/none").text)
print(sorted(rule.rule for rule in app.url_map.iter_rules()))
