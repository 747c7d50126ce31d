# pip install h2
import h2.config
import h2.connection
import h2.events

client = h2.connection.H2Connection()
server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
client.initiate_connection()
server.initiate_connection()
client.send_headers(1, [(":method", "GET"), (":path", "/"), (":scheme", "https"), (":authority", "x.org")], end_stream=True)
for event in server.receive_data(client.data_to_send()):
    if isinstance(event, h2.events.RequestReceived):
        print(event.headers)
        server.send_headers(event.stream_id, [(":status", "200"), ("server", "h2")])
        server.send_data(event.stream_id, b"body", end_stream=True)
for event in client.receive_data(server.data_to_send()):
    print(type(event).__name__, getattr(event, "data", None))
