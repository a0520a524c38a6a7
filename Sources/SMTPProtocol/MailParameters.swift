// The ESMTP parameters of MAIL, each at most once. One of an extension that is not offered is as unknown as any other word.

package import MailModel

/// What a MAIL command says beside the sender.
package struct MailParameters: Sendable, Hashable {
    /// The octets that the client announces (RFC 1870 §6); `Int.max` for a number too large to hold.
    package var size: Int?
    package var body: BodyType?
    /// Who submitted the message at first (RFC 4954 §5); nobody here is trusted to say so, it is only parsed.
    package var submitter: ReversePath?
    package var options: MessageOptions

    package init(size: Int? = nil, body: BodyType? = nil, submitter: ReversePath? = nil, options: MessageOptions = MessageOptions()) {
        self.size = size
        self.body = body
        self.submitter = submitter
        self.options = options
    }

    /// Parses ` SIZE=1000 BODY=8BITMIME`, spaces before each included.
    package init(parsing text: ArraySlice<UInt8>, offering offer: ServerExtensions = ServerExtensions()) throws(ParameterFault) {
        self.init()
        for word in try ParameterWord.words(of: text) { try take(word, offer) }
    }

    private mutating func take(_ word: ParameterWord, _ offer: ServerExtensions) throws(ParameterFault) {
        switch word.name {
        case "SIZE": try word.set(&size, MailParameters.size(word.value))
        case "BODY": try word.set(&body, BodyType(parsing: word.value).flatMap { $0 != .binaryMIME || offer.binaryMIME ? $0 : nil })
        case "AUTH": try word.set(&submitter, MailParameters.submitter(word.value))
        case "SMTPUTF8" where offer.smtpUTF8: try word.set(&options.isUTF8)
        case "REQUIRETLS" where offer.requireTLS: try word.set(&options.requiresTLS)
        case "RET" where offer.dsn: try word.set(&options.returnContent, ReturnContent(parsing: word.value))
        case "ENVID" where offer.dsn: try word.set(&options.envelopeID, EnvelopeID(xtext: word.value))
        case "HOLDFOR" where offer.futureRelease != nil: try word.set(&options.hold, HoldRelease(interval: word.value))
        case "HOLDUNTIL" where offer.futureRelease != nil: try word.set(&options.hold, HoldRelease(until: word.value))
        case "BY" where offer.deliverBy != nil: try word.set(&options.deliverBy, DeliverBy(parsing: word.value))
        case "MT-PRIORITY" where offer.priority != nil: try word.set(&options.priority, Priority(parsing: word.value))
        default: throw .unknown
        }
    }

    private static func size(_ value: ArraySlice<UInt8>) -> Int? {
        guard (1...20).contains(value.count), value.allSatisfy(\.isASCIIDigit) else { return nil }
        return value.decimalValue ?? Int.max
    }

    /// `<>` or an xtext mailbox; what decodes to a line break is no mailbox (CVE-2020-28021).
    private static func submitter(_ value: ArraySlice<UInt8>) -> ReversePath? {
        if value.elementsEqual("<>".utf8) { return .null }
        return XText.decode(value).flatMap { EmailAddress(parsing: $0) }.map { .address($0) }
    }
}
