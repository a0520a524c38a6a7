// What a message asks for and a server does not offer: some of it may be left out, without the rest the message cannot go there.

internal import MailModel

/// The extensions that a message needs or would like, and that this server is without.
package struct MissingExtensions: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Nobody knows there how to handle its addresses or its header.
    package static let smtpUTF8 = MissingExtensions(rawValue: 1)
    /// It may not be passed on so that nobody must protect it; or this connection has no TLS.
    package static let requireTLS = MissingExtensions(rawValue: 2)
    package static let binaryMIME = MissingExtensions(rawValue: 4)
    /// Its sender wants notices that nobody there will send: he is to hear that it was relayed (RFC 3461 §5.2.2).
    package static let dsn = MissingExtensions(rawValue: 8)
    package static let deliverBy = MissingExtensions(rawValue: 16)
    package static let priority = MissingExtensions(rawValue: 32)
    package static let eightBitMIME = MissingExtensions(rawValue: 64)
}

extension ServerOffer {
    /// What `message` asks for in vain.
    func missing(for message: OutgoingMessage, isTLS: Bool) -> MissingExtensions {
        var missing: MissingExtensions = []
        let options = message.options
        if options.isUTF8, !smtpUTF8 { missing.insert(.smtpUTF8) }
        if options.requiresTLS, !(requireTLS && isTLS) { missing.insert(.requireTLS) }
        // A chunk's size stands before it: what nobody has measured cannot be binary.
        if message.body == .binaryMIME, !(binaryMIME && chunking && message.size != nil) { missing.insert(.binaryMIME) }
        if message.body == .eightBitMIME, !eightBitMIME { missing.insert(.eightBitMIME) }
        if message.asksForNotices, !dsn { missing.insert(.dsn) }
        if let wanted = options.deliverBy, !allows(wanted) { missing.insert(.deliverBy) }
        if options.priority != nil, !priority { missing.insert(.priority) }
        return missing
    }

    private func allows(_ wanted: DeliverBy) -> Bool {
        guard let minimum = deliverByMinimum else { return false }
        return wanted.mode == .notify || wanted.seconds >= minimum
    }

    /// The options that may be said to this server.
    func sayable(_ options: MessageOptions) -> MessageOptions {
        var said = MessageOptions()
        said.isUTF8 = options.isUTF8 && smtpUTF8
        said.requiresTLS = options.requiresTLS && requireTLS
        if dsn {
            said.returnContent = options.returnContent
            said.envelopeID = options.envelopeID
        }
        if let wanted = options.deliverBy, allows(wanted) { said.deliverBy = wanted }
        if priority { said.priority = options.priority }
        // A hold is over when a message leaves us, and no relay offers it.
        return said
    }
}

extension OutgoingMessage {
    fileprivate var asksForNotices: Bool {
        options.returnContent != nil || options.envelopeID != nil || recipients.contains { recipientOptions[$0] != nil }
    }
}

extension DeliveryOutcome {
    /// What a message without one of these can only come to; nil if it can go without them.
    ///
    /// The second value: whether another host of the same domain may do better.
    static func withoutExtensions(_ missing: MissingExtensions, _ message: OutgoingMessage) -> (outcome: DeliveryOutcome, mayDiffer: Bool)? {
        if missing.contains(.requireTLS) {
            return (.permanent(.permanent(7, 30), reason: Array("server does not offer REQUIRETLS under TLS".utf8)), true)
        }
        if missing.contains(.smtpUTF8) {
            // Its addresses alone are judged one by one: `asciiForm`.
            let status = EnhancedStatus(.permanent, 6, message.needsUTF8Path ? 7 : 9)
            return (.permanent(status, reason: Array("server does not offer SMTPUTF8".utf8)), false)
        }
        if missing.contains(.binaryMIME) {
            return (.permanent(.permanent(6, 3), reason: Array("server does not take binary content".utf8)), false)
        }
        if missing.contains(.deliverBy), message.options.deliverBy?.mode == .return {
            return (.permanent(.permanent(3, 3), reason: Array("server promises no delivery within the time that is left".utf8)), false)
        }
        // RFC 6152 §3: whoever has the content may say it in 7 bits and come again.
        if missing.contains(.eightBitMIME) {
            return (.permanent(.permanent(6, 3), reason: Array("server takes 7-bit content only".utf8)), true)
        }
        return nil
    }
}
