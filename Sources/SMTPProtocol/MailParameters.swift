// The ESMTP parameters of MAIL: `SIZE=` `BODY=` `AUTH=`; each at most once.

package import MailModel

/// What a MAIL command says beside the sender.
package struct MailParameters: Sendable, Hashable {
    /// The octets that the client announces (RFC 1870 §6); `Int.max` for a number too large to hold.
    package var size: Int?
    package var body: BodyType?
    /// Who submitted the message at first (RFC 4954 §5); nobody here is trusted to say so, it is only parsed.
    package var submitter: ReversePath?

    package init(size: Int? = nil, body: BodyType? = nil, submitter: ReversePath? = nil) {
        self.size = size
        self.body = body
        self.submitter = submitter
    }

    package enum Fault: Error, Sendable, Equatable { case syntax, unknown }

    /// Parses ` SIZE=1000 BODY=8BITMIME`, spaces before each included.
    package init(parsing text: ArraySlice<UInt8>) throws(Fault) {
        guard text.isEmpty || text.first == UInt8(ascii: " ") else { throw .syntax }
        self.init()
        for word in text.split(separator: UInt8(ascii: " ")) {
            let name = word.prefix { $0 != UInt8(ascii: "=") }
            let value = word.dropFirst(name.count + 1)
            try take(name: name, value: value)
        }
    }

    private mutating func take(name: ArraySlice<UInt8>, value: ArraySlice<UInt8>) throws(Fault) {
        if name.equalsIgnoringASCIICase("SIZE") {
            guard size == nil, (1...20).contains(value.count), value.allSatisfy(\.isASCIIDigit) else { throw .syntax }
            size = value.decimalValue ?? Int.max
        } else if name.equalsIgnoringASCIICase("BODY") {
            guard body == nil, let type = MailParameters.bodyType(value) else { throw .syntax }
            body = type
        } else if name.equalsIgnoringASCIICase("AUTH") {
            guard submitter == nil, let path = MailParameters.submitter(value) else { throw .syntax }
            submitter = path
        } else {
            throw .unknown
        }
    }

    private static func bodyType(_ value: ArraySlice<UInt8>) -> BodyType? {
        if value.equalsIgnoringASCIICase("7BIT") { return .sevenBit }
        return value.equalsIgnoringASCIICase("8BITMIME") ? .eightBitMIME : nil
    }

    /// `<>` or an xtext mailbox; what decodes to a line break is no mailbox (CVE-2020-28021).
    private static func submitter(_ value: ArraySlice<UInt8>) -> ReversePath? {
        if value.elementsEqual("<>".utf8) { return .null }
        return XText.decode(value).flatMap { EmailAddress(parsing: $0) }.map { .address($0) }
    }
}
