// DNS through the system's resolver library. Blocks: for worker threads only.

import CLinux
package import MailModel

/// What came of a question.
package enum DNSAnswer<Value: Sendable>: Sendable {
    case found(Value)
    /// The name exists and has no such record.
    case noData
    /// The name does not exist.
    case noSuchName
    /// No usable answer: nothing may be concluded.
    case unavailable
}

/// Asks the configured servers, or those of the system.
package struct StubResolver: Sendable {
    private static let typeMX: Int32 = 15, typeA: Int32 = 1, typeAAAA: Int32 = 28
    private static let capacity = 65535
    /// Hosts, and addresses of one host, beyond these are not tried.
    private static let maximumHosts = 10, maximumAddresses = 4

    private let servers: [martlet_dns_server]

    /// `servers`: numeric addresses and ports; none for the system's.
    package init(servers: [(address: String, port: UInt16)]) {
        self.servers = servers.compactMap { server in
            var raw = martlet_dns_server()
            return martlet_dns_server(server.address, server.port, &raw) == 0 ? nil : raw
        }
    }

    /// The mail exchangers of a domain by preference; an empty list is the null MX (RFC 7505 §3).
    package func exchangers(of domain: Domain) -> DNSAnswer<[Exchanger]> {
        switch query(domain.bytes, StubResolver.typeMX) {
        case .found(let message):
            // Mail for a domain that names exchangers, none of them usable, is not for its web server (RFC 5321 §5.1).
            guard let hosts = message.exchangers else { return message.hasExchanges ? .unavailable : .noData }
            var generator = SystemRandomNumberGenerator()
            return .found(Array(Exchanger.inOrder(hosts, using: &generator).prefix(StubResolver.maximumHosts)))
        case .noData: return .noData
        case .noSuchName: return .noSuchName
        case .unavailable: return .unavailable
        }
    }

    /// The addresses of a host as text, IPv6 and IPv4 in turn; numeric names and address literals are their own answer.
    package func addresses(of host: Domain) -> DNSAnswer<[[UInt8]]> {
        if let numeric = StubResolver.numeric(host) { return .found([numeric]) }
        guard !host.isAddressLiteral else { return .noSuchName }
        // RFC 6761 §6.3: never asked of anybody.
        if host.bytes.elementsEqual("localhost".utf8) { return .found([Array("127.0.0.1".utf8), Array("::1".utf8)]) }
        let six = query(host.bytes, StubResolver.typeAAAA)
        let four = query(host.bytes, StubResolver.typeA)
        let found = StubResolver.inTurn(StubResolver.addresses(six), StubResolver.addresses(four))
        if !found.isEmpty { return .found(Array(found.prefix(StubResolver.maximumAddresses))) }
        switch (six, four) {
        case (.unavailable, _), (_, .unavailable): return .unavailable
        case (.noSuchName, .noSuchName): return .noSuchName
        case (.found, _), (.noData, _), (.noSuchName, _): return .noData
        }
    }

    /// A kind of record that may be asked for as it is.
    package enum RecordType: Int32, Sendable { case address = 1, pointer = 12, exchange = 15, text = 16, address6 = 28, service = 33 }

    /// The records of a name as they stand, those of an alias that leads to them included.
    package func records(_ type: RecordType, of name: [UInt8]) -> DNSAnswer<[DNSMessage.Data]> {
        switch query(name, type.rawValue) {
        case .found(let message): .found(message.records.map(\.data))
        case .noData: .noData
        case .noSuchName: .noSuchName
        case .unavailable: .unavailable
        }
    }

    /// `[192.0.2.1]`, `[IPv6:2001:db8::1]` (RFC 5321 §4.1.3), or a bare address; nil for a name.
    static func numeric(_ host: Domain) -> [UInt8]? {
        var text = host.bytes
        if host.isAddressLiteral {
            text = Array(text.dropFirst().dropLast())
            if text.starts(with: "ipv6:".utf8) { text.removeFirst(5) }
        }
        var raw = martlet_dns_server()
        return text.contains(0) || martlet_dns_server(text.display, 0, &raw) == 0 ? nil : text
    }

    /// Neither family keeps the other waiting behind all its addresses (RFC 8305 §4).
    static func inTurn(_ a: [[UInt8]], _ b: [[UInt8]]) -> [[UInt8]] {
        (0..<max(a.count, b.count)).flatMap { index in
            [a, b].compactMap { index < $0.count ? $0[index] : nil }
        }
    }

    private static func addresses(_ answer: DNSAnswer<DNSMessage>) -> [[UInt8]] {
        guard case .found(let message) = answer else { return [] }
        return message.records.compactMap { record in
            guard case .address(let bytes) = record.data else { return nil }
            return text(of: bytes)
        }
    }

    /// An address of four or sixteen bytes as people write it.
    package static func text(of address: [UInt8]) -> [UInt8] {
        if address.count == 4 { return Array(address.map { "\($0)" }.joined(separator: ".").utf8) }
        let groups = stride(from: 0, to: 16, by: 2).map { String(UInt16(address[$0]) << 8 | UInt16(address[$0 + 1]), radix: 16) }
        return Array(groups.joined(separator: ":").utf8)
    }

    private func query(_ name: [UInt8], _ type: Int32) -> DNSAnswer<DNSMessage> {
        guard !name.contains(0) else { return .noSuchName }
        var failure: Int32 = 0
        var length: Int32 = -1
        let answer = [UInt8](unsafeUninitializedCapacity: StubResolver.capacity) { buffer, count in
            length = servers.withUnsafeBufferPointer { servers in
                martlet_dns_query(
                    name.display, type, servers.baseAddress, Int32(servers.count), buffer.baseAddress, buffer.count, &failure)
            }
            count = max(0, Int(length))
        }
        guard length < 0 else { return DNSMessage(parsing: answer).map { .found($0) } ?? .unavailable }
        switch failure {
        case 1: return .noSuchName
        case 4: return .noData
        default: return .unavailable
        }
    }
}
