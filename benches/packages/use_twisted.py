# pip install twisted
from twisted.internet import defer, protocol, reactor, task
from twisted.protocols.basic import LineReceiver


class Echo(LineReceiver):
    def lineReceived(self, line):
        self.sendLine(line.upper())


class Client(LineReceiver):
    def connectionMade(self):
        self.sendLine(b"hello")

    def lineReceived(self, line):
        print(line)
        self.transport.loseConnection()

    def connectionLost(self, reason):
        done.callback(None)


done = defer.Deferred()
port = reactor.listenTCP(0, protocol.Factory.forProtocol(Echo), interface="127.0.0.1")
factory = protocol.ClientFactory.forProtocol(Client)
reactor.connectTCP("127.0.0.1", port.getHost().port, factory)


@defer.inlineCallbacks
def main():
    yield done
    value = yield task.deferLater(reactor, 0.01, lambda: 42)
    print(value)
    try:
        yield defer.fail(ValueError("bad"))
    except ValueError as e:
        print(e)
    reactor.stop()


main()
reactor.run()
