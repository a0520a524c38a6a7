// One part of a message's structure: ranges into the message and what its header says about the body.

internal import MailModel

/// A body part (RFC 2045 §2.5), or the whole message as the part at index 0.
package struct MIMEPart: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case leaf
        /// Its children are the parts between the boundaries; it may have none if the boundary never comes.
        case multipart
        /// Its one child is the message inside.
        case message
    }

    /// Bytes of one MIME field that are read.
    package static let maximumField = 64 << 10

    /// Index of the part around this one in `MIMEStructure.parts`; nil for the whole message.
    package let parent: Int?
    package internal(set) var children: [Int] = []
    package internal(set) var kind = Kind.leaf

    /// The header with the blank line that ends it.
    package internal(set) var header: Range<Int>
    /// The body, without the line end that belongs to the boundary after it (RFC 2046 §5.1.1).
    package internal(set) var body: Range<Int>
    /// Line ends in the body.
    package internal(set) var lineCount = 0

    package internal(set) var contentType = ContentType(type: "text", subtype: "plain")
    /// Whether there was a Content-Type that could be read; else `contentType` is the default.
    package internal(set) var hasContentType = false
    package internal(set) var disposition: ContentDisposition?
    /// `Content-Transfer-Encoding` as written; `7bit` if absent.
    package internal(set) var transferEncoding: [UInt8] = Array("7bit".utf8)
    package internal(set) var id: [UInt8]?
    package internal(set) var description: [UInt8]?
    package internal(set) var md5: [UInt8]?
    package internal(set) var location: [UInt8]?
    package internal(set) var languages: [[UInt8]] = []
    /// The envelope of this part's own header; only for messages: the whole one, and those inside `message/rfc822`.
    package internal(set) var envelope: MessageEnvelope?

    package var encoding: TransferEncoding { TransferEncoding(name: transferEncoding) }

    init(parent: Int?, start: Int) {
        self.parent = parent
        header = start..<start
        body = start..<start
    }

    /// Reads the fields of a header that was just scanned.
    mutating func read(_ section: HeaderSection, in bytes: [UInt8], isMessage: Bool, parentIsDigest: Bool) {
        if parentIsDigest { contentType = ContentType(type: "message", subtype: "rfc822") }
        for field in section.fields where field.name.count >= 10 { take(field, bytes) }
        if isMessage { envelope = MessageEnvelope(section, in: bytes) }
    }

    private mutating func take(_ field: HeaderField, _ bytes: [UInt8]) {
        let name = bytes[field.name]
        let value = bytes[field.value].prefix(MIMEPart.maximumField)
        guard name.prefix(8).equalsIgnoringASCIICase("Content-") else { return }
        let rest = name.dropFirst(8)
        if rest.equalsIgnoringASCIICase("Type") {
            guard !hasContentType, let parsed = ContentType(parsing: value) else { return }
            contentType = parsed
            hasContentType = true
        } else if rest.equalsIgnoringASCIICase("Transfer-Encoding") {
            var lexer = FieldLexer(value, isSpecial: FieldLexer.mimeSpecials)
            if case .atom(let name) = lexer.next() { transferEncoding = name }
        } else if rest.equalsIgnoringASCIICase("Disposition") {
            disposition = disposition ?? ContentDisposition(parsing: value)
        } else if rest.equalsIgnoringASCIICase("ID") {
            id = id ?? unfolded(value)
        } else if rest.equalsIgnoringASCIICase("Description") {
            description = description ?? unfolded(value)
        } else if rest.equalsIgnoringASCIICase("MD5") {
            md5 = md5 ?? unfolded(value)
        } else if rest.equalsIgnoringASCIICase("Location") {
            location = location ?? unfolded(value)
        } else if rest.equalsIgnoringASCIICase("Language") {
            if languages.isEmpty { languages = contentLanguages(value) }
        }
    }
}
