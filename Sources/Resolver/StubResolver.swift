// DNS through the system's resolver library. Blocks: for worker threads only.

import CLinux
import Kernel
package import MailModel
package import MailPolicy
import Synchronization

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

/// When the word of a resolver that it has validated an answer (RFC 4035 §4.9.3) is believed.
package enum ValidationTrust: Sendable {
    /// From resolvers on this host: nobody stands between.
    case loopback
    case always
    case never
}

/// What was found, and whether DNSSEC vouches for it, by the word of a resolver that we trust.
package struct Vouched<Value: Sendable>: Sendable {
    package let value: Value
    package let isAuthentic: Bool
    /// What the name that was asked for stands for; that name itself where it is no alias.
    package let name: [UInt8]
}

/// Asks the configured servers, or those of the system.
package struct StubResolver: Sendable {
    private static let capacity = 65535
    /// Hosts, and addresses of one host, beyond these are not tried.
    private static let maximumHosts = 10, maximumAddresses = 4

    private let servers: [martlet_dns_server]
    private let trust: ValidationTrust
    private let memory: AnswerMemory?

    private final class AnswerMemory: Sendable {
        let table = Mutex(AnswerTable())
    }

    /// `servers`: numeric addresses and ports; none for the system's. `remembers`: for a program that asks the same again and again.
    package init(servers: [(address: String, port: UInt16)], trust: ValidationTrust = .loopback, remembers: Bool = false) {
        self.servers = servers.compactMap { server in
            var raw = martlet_dns_server()
            return martlet_dns_server(server.address, server.port, &raw) == 0 ? nil : raw
        }
        self.trust = trust
        memory = remembers ? AnswerMemory() : nil
    }

    /// The mail exchangers of a domain by preference; an empty list is the null MX (RFC 7505 §3).
    package func exchangers(of domain: Domain) -> DNSAnswer<Vouched<[Exchanger]>> {
        resolve(domain.bytes, .exchange).flatMap { found in
            // Mail for a domain that names exchangers, none of them usable, is not for its web server (RFC 5321 §5.1).
            guard let hosts = Exchanger.usable(found.value) else { return .unavailable }
            var generator = SystemRandomNumberGenerator()
            let order = Array(Exchanger.inOrder(hosts, using: &generator).prefix(StubResolver.maximumHosts))
            return .found(Vouched(value: order, isAuthentic: found.isAuthentic, name: found.name))
        }
    }

    /// The addresses of a host as text, IPv6 and IPv4 in turn; numeric names and address literals are their own answer.
    package func addresses(of host: Domain) -> DNSAnswer<[[UInt8]]> { vouchedAddresses(of: host).flatMap { .found($0.value) } }

    /// The same with what DNSSEC says of it: nothing for a host that is only a number.
    package func vouchedAddresses(of host: Domain) -> DNSAnswer<Vouched<[[UInt8]]>> {
        func unvouched(_ addresses: [[UInt8]]) -> DNSAnswer<Vouched<[[UInt8]]>> {
            .found(Vouched(value: addresses, isAuthentic: false, name: host.bytes))
        }
        if let numeric = StubResolver.numeric(host) { return unvouched([numeric]) }
        guard !host.isAddressLiteral else { return .noSuchName }
        // RFC 6761 §6.3: never asked of anybody.
        if host.bytes.elementsEqual("localhost".utf8) { return unvouched([Array("127.0.0.1".utf8), Array("::1".utf8)]) }
        let six = resolve(host.bytes, .address6)
        let four = resolve(host.bytes, .address)
        let found = StubResolver.inTurn(StubResolver.texts(six), StubResolver.texts(four))
        if !found.isEmpty {
            let answers = [six, four].compactMap(\.value)
            return .found(Vouched(
                value: Array(found.prefix(StubResolver.maximumAddresses)), isAuthentic: answers.allSatisfy(\.isAuthentic),
                name: answers.first?.name ?? host.bytes))
        }
        switch (six, four) {
        case (.unavailable, _), (_, .unavailable): return .unavailable
        case (.noSuchName, .noSuchName): return .noSuchName
        case (.found, _), (.noData, _), (.noSuchName, _): return .noData
        }
    }

    /// What the server at this name and port is to show (RFC 7672 §2.2): `_25._tcp.mx.example.org`.
    package func associations(of host: [UInt8], port: UInt16) -> DNSAnswer<Vouched<[TLSARecord]>> {
        resolve(Array("_\(port)._tcp.".utf8) + host, .association).flatMap { found in
            let records = found.value.compactMap { record in
                if case .association(let association) = record.data { association } else { nil }
            }
            return .found(Vouched(value: records, isAuthentic: found.isAuthentic, name: found.name))
        }
    }

    /// A kind of record that may be asked for as it is.
    package enum RecordType: Int32, Sendable { case address = 1, pointer = 12, exchange = 15, text = 16, address6 = 28, service = 33, association = 52 }

    /// The records of a name as they stand, those of an alias that leads to them included.
    package func records(_ type: RecordType, of name: [UInt8]) -> DNSAnswer<[DNSMessage.Data]> {
        ask(name.asciiLowercased, type).flatMap { .found($0.records.map(\.data)) }
    }

    /// The records of one type of a name, its aliases followed: where the server did not, it is asked again.
    private func resolve(_ name: [UInt8], _ type: RecordType) -> DNSAnswer<Vouched<[DNSMessage.Record]>> {
        var name = name.asciiLowercased
        var isAuthentic = true
        var left = DNSMessage.mostAliases
        while true {
            switch ask(name, type) {
            case .found(let message):
                isAuthentic = isAuthentic && message.isAuthentic
                // A loop is a mistake that somebody will mend.
                guard let end = message.canonicalName(of: name, left: &left) else { return .unavailable }
                let records = message.records.filter { $0.name == end && $0.data.answers(type) }
                if !records.isEmpty { return .found(Vouched(value: records, isAuthentic: isAuthentic, name: end)) }
                guard end != name else { return .noData }
                name = end
            case .noData: return .noData
            case .noSuchName: return .noSuchName
            case .unavailable: return .unavailable
            }
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

    private static func texts(_ answer: DNSAnswer<Vouched<[DNSMessage.Record]>>) -> [[UInt8]] {
        (answer.value?.value ?? []).compactMap { record in
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

    /// From memory, or from a server.
    private func ask(_ name: [UInt8], _ type: RecordType) -> DNSAnswer<DNSMessage> {
        guard !name.contains(0) else { return .noSuchName }
        let question = AnswerTable.Question(name: name, type: type.rawValue)
        let now = MonotonicTime.now().nanoseconds / 1_000_000_000
        if let known = memory?.table.withLock({ $0.answer(to: question, at: now) }) { return known }
        guard let message = query(name, type.rawValue) else { return .unavailable }
        let answer: DNSAnswer<DNSMessage> =
            switch message.code {
            case 0: message.records.isEmpty ? .noData : .found(message)
            case 3: .noSuchName
            default: .unavailable
            }
        memory?.table.withLock { $0.keep(answer, to: question, negativeLife: message.negativeLife, at: now) }
        return answer
    }

    /// Nil if no server answers, or not with a whole message.
    private func query(_ name: [UInt8], _ type: Int32) -> DNSMessage? {
        var isLocal: Int32 = 0
        var length: Int32 = -1
        let answer = [UInt8](unsafeUninitializedCapacity: StubResolver.capacity) { buffer, count in
            length = servers.withUnsafeBufferPointer { servers in
                martlet_dns_query(
                    name.display, type, servers.baseAddress, Int32(servers.count), buffer.baseAddress, buffer.count, &isLocal)
            }
            count = max(0, Int(length))
        }
        guard length >= 0, var message = DNSMessage(parsing: answer) else { return nil }
        switch trust {
        case .always: break
        case .loopback: message.isAuthentic = message.isAuthentic && isLocal != 0
        case .never: message.isAuthentic = false
        }
        return message
    }
}

extension DNSAnswer {
    /// Nil where nothing was found.
    package var value: Value? {
        if case .found(let value) = self { value } else { nil }
    }

    func flatMap<Other>(_ transform: (Value) -> DNSAnswer<Other>) -> DNSAnswer<Other> {
        switch self {
        case .found(let value): transform(value)
        case .noData: .noData
        case .noSuchName: .noSuchName
        case .unavailable: .unavailable
        }
    }
}
