// Which peers a network holds.

import Testing

@testable import Connection

@Suite struct PeerNetworksTests {
    private func contains(_ network: String, _ bits: Int, _ peer: String) -> Bool {
        PeerNetworks([(Array(network.utf8), bits)]).contains(SocketName(address: Array(peer.utf8), port: 1))
    }

    @Test func theBitsThatCountDecide() {
        #expect(contains("192.0.2.7", 32, "192.0.2.7") && !contains("192.0.2.7", 32, "192.0.2.6"))
        #expect(contains("10.0.0.0", 8, "10.255.1.2") && !contains("10.0.0.0", 8, "11.0.0.0"))
        #expect(contains("192.0.2.128", 25, "192.0.2.200") && !contains("192.0.2.128", 25, "192.0.2.127"))
        #expect(contains("0.0.0.0", 0, "203.0.113.1") && !contains("0.0.0.0", 0, "2001:db8::1"))
        #expect(contains("2001:db8::", 33, "2001:db8:7fff::1") && !contains("2001:db8::", 33, "2001:db8:8000::1"))
        #expect(contains("::1", 128, "::1") && !contains("::1", 128, "::2"))
    }

    @Test func whatHasNoAddressIsInNone() {
        for peer in ["", "/run/socket", "mail.example"] { #expect(!contains("0.0.0.0", 0, peer)) }
        #expect(!contains("nowhere", 0, "192.0.2.1"))
        #expect(!PeerNetworks().contains(SocketName(address: Array("192.0.2.1".utf8), port: 1)))
    }
}
