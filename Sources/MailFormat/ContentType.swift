// The MIME fields with a grammar of their own: Content-Type, Content-Disposition, Content-Language.

internal import MailModel

/// `Content-Type` (RFC 2045 §5.1).
package struct ContentType: Hashable, Sendable {
    /// As written; compare without case.
    package let type: [UInt8]
    package let subtype: [UInt8]
    package let parameters: ParameterList

    package init(type: StaticString, subtype: StaticString) {
        self.type = type.withUTF8Buffer { Array($0) }
        self.subtype = subtype.withUTF8Buffer { Array($0) }
        parameters = ParameterList()
    }

    /// nil if there is no `type/subtype`; the caller then takes the default of the context (RFC 2045 §5.2).
    package init?(parsing value: ArraySlice<UInt8>) {
        var lexer = FieldLexer(value, isSpecial: FieldLexer.mimeSpecials)
        guard case .atom(let type) = lexer.next(), lexer.next() == .special(UInt8(ascii: "/")),
            case .atom(let subtype) = lexer.next()
        else { return nil }
        self.type = type
        self.subtype = subtype
        parameters = ParameterList(reading: &lexer)
    }

    package func matches(_ type: StaticString, _ subtype: StaticString) -> Bool {
        self.type.equalsIgnoringASCIICase(type) && self.subtype.equalsIgnoringASCIICase(subtype)
    }

    package var isMultipart: Bool { type.equalsIgnoringASCIICase("multipart") }
    package var isText: Bool { type.equalsIgnoringASCIICase("text") }

    /// A whole message inside: `message/rfc822`, or `message/global` (RFC 6532 §3.7).
    package var isMessage: Bool { matches("message", "rfc822") || matches("message", "global") }

    /// The boundary between the parts of a multipart (RFC 2046 §5.1.1), without trailing blanks.
    package var boundary: [UInt8]? {
        guard let found = parameters.parameters.first(where: { $0.name.equalsIgnoringASCIICase("boundary") }) else { return nil }
        let value = trimmed(found.value[...])
        return value.isEmpty || value.count > 1000 ? nil : Array(value)
    }
}

/// `Content-Disposition` (RFC 2183 §2).
package struct ContentDisposition: Hashable, Sendable {
    package let type: [UInt8]
    package let parameters: ParameterList

    package init?(parsing value: ArraySlice<UInt8>) {
        var lexer = FieldLexer(value, isSpecial: FieldLexer.mimeSpecials)
        guard case .atom(let type) = lexer.next() else { return nil }
        self.type = type
        parameters = ParameterList(reading: &lexer)
    }
}

/// The tags of `Content-Language` (RFC 3282 §2), at most 100.
package func contentLanguages(_ value: ArraySlice<UInt8>) -> [[UInt8]] {
    var lexer = FieldLexer(value, isSpecial: FieldLexer.mimeSpecials)
    var tags: [[UInt8]] = []
    while tags.count < 100, let token = lexer.next() {
        if case .atom(let tag) = token { tags.append(tag) }
    }
    return tags
}
