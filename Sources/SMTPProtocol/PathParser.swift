// `<…>` of MAIL and RCPT. The end of a path is found with its quoting in mind, so `<"a>b"@c>` is one path.

package import MailModel

/// Who a RCPT command names (RFC 5321 §4.1.1.3).
package enum ForwardPath: Sendable, Hashable {
    case mailbox(EmailAddress)
    /// `<postmaster>` without a domain must be taken (RFC 5321 §4.5.1).
    case postmaster
}

/// Paths and what follows them in a command.
package enum PathParser {
    /// The inside of `<…>` at the start of `text`, and what follows it; nil if there is no such thing.
    package static func split(_ text: ArraySlice<UInt8>) -> (path: ArraySlice<UInt8>, rest: ArraySlice<UInt8>)? {
        guard text.first == UInt8(ascii: "<") else { return nil }
        var isQuoted = false
        var isEscaped = false
        for (index, byte) in zip(text.indices, text).dropFirst() {
            if isEscaped {
                isEscaped = false
            } else if isQuoted, byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if byte == UInt8(ascii: ">"), !isQuoted {
                return (text[(text.startIndex + 1)..<index], text[(index + 1)...])
            }
        }
        return nil
    }

    /// The inside of a reverse-path; empty is the null path.
    package static func reversePath(_ path: ArraySlice<UInt8>) -> ReversePath? {
        if path.isEmpty { return .null }
        return mailbox(path).map { .address($0) }
    }

    /// The inside of a forward-path.
    package static func forwardPath(_ path: ArraySlice<UInt8>) -> ForwardPath? {
        if path.equalsIgnoringASCIICase("postmaster") { return .postmaster }
        return mailbox(path).map { .mailbox($0) }
    }

    /// A mailbox; a source route before it must be parsed and is ignored (RFC 5321 §4.1.1.3 and appendix C).
    private static func mailbox(_ path: ArraySlice<UInt8>) -> EmailAddress? {
        guard path.first == UInt8(ascii: "@") else { return EmailAddress(parsing: path) }
        guard let colon = path.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let hops = path[..<colon].split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        let areDomains = hops.allSatisfy { $0.first == UInt8(ascii: "@") && Domain(parsing: $0.dropFirst()) != nil }
        return areDomains ? EmailAddress(parsing: path[(colon + 1)...]) : nil
    }
}
