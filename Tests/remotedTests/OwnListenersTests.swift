// Which sockets are our own: what is sent there comes back.

import Configuration
import Connection
import Testing

@testable import remoted

@Suite struct OwnListenersTests {
    private func own(_ listeners: String...) -> OwnListeners {
        var configuration = Configuration()
        configuration.listen.smtp = listeners.compactMap { Endpoint($0) }
        configuration.listen.submission = []
        configuration.listen.submissions = []
        let second: [UInt8] = [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]
        return OwnListeners(configuration.listen, addresses: [[192, 0, 2, 7], second, Array(repeating: 0, count: 15) + [9]])
    }

    private func socket(_ address: String, _ port: UInt16 = 25) -> SocketName { SocketName(address: Array(address.utf8), port: port) }

    @Test func anAddressIsItselfAtItsPort() {
        let own = own("127.0.0.1:25", "[::1]:25")
        #expect(own.take(socket("127.0.0.1")))
        #expect(own.take(socket("::1")))
        #expect(!own.take(socket("127.0.0.1", 24)))
        #expect(!own.take(socket("127.0.0.2")))
        #expect(!own.take(socket("192.0.2.7")))
    }

    @Test(arguments: ["127.0.0.1", "127.9.9.9", "192.0.2.7"]) func everyAddressOfTheMachineIsBehindTheWildcard(_ address: String) {
        #expect(own("0.0.0.0:25").take(socket(address)))
        #expect(own("[::]:25").take(socket(address)))
        #expect(!own("0.0.0.0:2525").take(socket(address)))
    }

    @Test(arguments: ["::1", "2001:db8::5", "::9"]) func alsoThoseOfTheSixthVersion(_ address: String) {
        #expect(own("[::]:25").take(socket(address)))
        #expect(!own("0.0.0.0:25").take(socket(address)))
    }

    @Test(arguments: ["192.0.2.8", "2001:db8::6", "198.51.100.1"]) func othersAreNot(_ address: String) {
        #expect(!own("0.0.0.0:25", "[::]:25").take(socket(address)))
    }
}
