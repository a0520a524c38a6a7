// Where a domain wants to hear how TLS to its hosts went: the TXT record at `_smtp._tls.DOMAIN` (RFC 8460 §3).

package import MailModel

/// `v=TLSRPTv1; rua=mailto:reports@example.com`.
package struct TLSReportingRecord: Hashable, Sendable {
    /// More are not looked at.
    package static let mostAddresses = 10

    /// The mailboxes among the places; https is not spoken here.
    package let mailboxes: [EmailAddress]

    /// Nil unless exactly one of a name's TXT records is one, and well-formed: two are none (§3).
    package init?(among texts: [[UInt8]]) {
        let versioned = texts.filter { TLSReportingRecord.fields($0).first.map { $0.elementsEqual("v=TLSRPTv1".utf8) } ?? false }
        guard versioned.count == 1 else { return nil }
        self.init(parsing: versioned[0])
    }

    package init?(parsing text: [UInt8]) {
        let fields = TLSReportingRecord.fields(text)
        guard text.count <= 4096, fields.first?.elementsEqual("v=TLSRPTv1".utf8) == true else { return nil }
        let places = fields.dropFirst().first { $0.starts(with: "rua=".utf8) }
        guard let places else { return nil }
        let uris = places.dropFirst(4).split(separator: UInt8(ascii: ",")).map(trimmed).prefix(TLSReportingRecord.mostAddresses)
        guard !uris.isEmpty else { return nil }
        mailboxes = uris.compactMap(TLSReportingRecord.mailbox)
    }

    private static func fields(_ text: [UInt8]) -> [ArraySlice<UInt8>] { text.split(separator: UInt8(ascii: ";")).map(trimmed) }

    /// `mailto:` with its percent-escapes undone (RFC 6068 §2), header fields behind `?` left out.
    private static func mailbox(_ uri: ArraySlice<UInt8>) -> EmailAddress? {
        guard uri.prefix(7).equalsIgnoringASCIICase("mailto:") else { return nil }
        let encoded = uri.dropFirst(7).prefix { $0 != UInt8(ascii: "?") }
        var address: [UInt8] = []
        var at = encoded.startIndex
        while at < encoded.endIndex {
            if encoded[at] == UInt8(ascii: "%") {
                guard let octet = hexPair(encoded, at: at + 1) else { return nil }
                address.append(octet)
                at += 3
            } else {
                address.append(encoded[at])
                at += 1
            }
        }
        return EmailAddress(parsing: address)
    }
}
