// Aliases (RFC 1034 §3.6.2) followed inside an answer, by rule and with an end.

extension DNSMessage {
    /// Aliases in a row that are followed; a loop ends here.
    static let mostAliases = 8

    /// The name that `name` stands for after the aliases of this answer; nil for more than `left` of them, which are counted down.
    func canonicalName(of name: [UInt8], left: inout Int) -> [UInt8]? {
        var name = name
        while let next = alias(of: name) {
            guard left > 0 else { return nil }
            left -= 1
            name = next
        }
        return name
    }

    private func alias(of name: [UInt8]) -> [UInt8]? {
        for record in records where record.name == name {
            if case .alias(let target) = record.data { return target }
        }
        return nil
    }
}

extension DNSMessage.Data {
    /// Whether this is what a question of this type asks for.
    func answers(_ type: StubResolver.RecordType) -> Bool {
        switch (type, self) {
        case (.address, .address(let octets)): octets.count == 4
        case (.address6, .address(let octets)): octets.count == 16
        case (.exchange, .exchange), (.pointer, .pointer), (.text, .text), (.service, .service), (.association, .association): true
        case (.address, _), (.address6, _), (.exchange, _), (.pointer, _), (.text, _), (.service, _), (.association, _): false
        }
    }
}
