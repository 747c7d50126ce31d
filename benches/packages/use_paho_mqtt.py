# pip install paho-mqtt
import paho.mqtt.client as mqtt
from paho.mqtt.properties import PacketTypes, Properties

client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="x")
print(mqtt.topic_matches_sub("a/+/c/#", "a/b/c/d"), mqtt.error_string(4), client.is_connected())
properties = Properties(PacketTypes.PUBLISH)
properties.UserProperty = ("k", "v")
properties.MessageExpiryInterval = 30
print(properties, properties.pack().hex())
try:
    client.connect("127.0.0.1", 1)
except ConnectionRefusedError as e:
    print(e.errno)
