// A server's reply as it is quoted in records and notices: with its code, by which it is known from words of our own.

import MailModel

extension DeliveryOutcome {
    /// The same with the code of the reply that it comes from; unchanged if the words are ours.
    func quoting(_ reply: [UInt8]) -> DeliveryOutcome {
        guard reply.count >= 3, reply.prefix(3).allSatisfy(\.isASCIIDigit) else { return self }
        let code = reply.prefix(3) + [0x20]
        switch self {
        case .delivered: return self
        case .temporary(let status, let reason): return .temporary(status, reason: code + reason)
        case .permanent(let status, let reason): return .permanent(status, reason: code + reason)
        }
    }
}
