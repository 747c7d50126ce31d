# pip install kombu
from kombu import Connection, Exchange, Queue

exchange = Exchange("media", "direct", durable=False)
queue = Queue("video", exchange=exchange, routing_key="video")
with Connection("memory://") as conn:
    producer = conn.Producer(serializer="json")
    for n in range(3):
        producer.publish({"n": n}, exchange=exchange, routing_key="video", declare=[queue])
    got = []

    def handle(body, message):
        got.append(body)
        message.ack()

    with conn.Consumer(queue, callbacks=[handle]):
        while len(got) < 3:
            conn.drain_events(timeout=1)
    print(got)
    simple = conn.SimpleQueue("s")
    simple.put({"a": [1, "é"]})
    print(simple.get(block=True, timeout=1).payload)
    simple.close()
