// The policy's questions, put to DNS; what comes back is what can be concluded, and nothing more.

package import MailPolicy

extension StubResolver {
    /// Blocks: for worker threads only.
    package func finding(_ question: DNSQuestion) -> DNSFinding {
        switch records(question.type.wire, of: question.name.bytes) {
        case .noData: return .noData
        case .noSuchName: return .noSuchName
        case .unavailable: return .unavailable
        case .found(let records):
            let data = records.compactMap { question.type.datum($0) }
            // An alias that leads to no such record.
            return data.isEmpty ? .noData : .found(data)
        }
    }
}

extension DNSQuestion.RecordType {
    fileprivate var wire: StubResolver.RecordType {
        switch self {
        case .a: .address
        case .aaaa: .address6
        case .mx: .exchange
        case .ptr: .pointer
        case .txt: .text
        }
    }

    fileprivate func datum(_ data: DNSMessage.Data) -> DNSDatum? {
        switch (self, data) {
        case (.a, .address(let octets)) where octets.count == 4: IPAddress(octets: octets).map { .address($0) }
        case (.aaaa, .address(let octets)) where octets.count == 16: IPAddress(octets: octets).map { .address($0) }
        case (.mx, .exchange(let preference, let host)): .exchanger(preference: preference, host: host)
        case (.ptr, .pointer(let name)): .pointer(name)
        case (.txt, .text(let text)): .text(text)
        case (.a, _), (.aaaa, _), (.mx, _), (.ptr, _), (.txt, _): nil
        }
    }
}
