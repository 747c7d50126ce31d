# pip install fakeredis
import fakeredis

r = fakeredis.FakeRedis(decode_responses=True)
r.set("a", 1)
r.incr("a", 4)
r.hset("h", mapping={"x": "1", "y": "2"})
r.rpush("l", *"abc")
r.zadd("z", {"one": 1, "two": 2})
with r.pipeline() as pipe:
    print(pipe.get("a").lrange("l", 0, -1).hgetall("h").execute())
print(r.zrange("z", 0, -1, withscores=True), r.exists("a", "nope"), sorted(r.keys()))
pubsub = r.pubsub()
pubsub.subscribe("c")
r.publish("c", "hi")
print([m["type"] for m in (pubsub.get_message(), pubsub.get_message())])
