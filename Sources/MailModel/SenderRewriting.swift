// The Sender Rewriting Scheme: who forwards mail sends it under an address of its own, so that SPF holds there and notices find back.
// Pure: the keyed hash and the day are arguments.

/// Rewrites senders of forwarded mail, and knows those that it wrote.
///
/// `alice@elsewhere.example` becomes `SRS0=HHHHHH=TT=elsewhere.example=alice@example.org`; one that another host has rewritten already becomes
/// `SRS1=HHHHHH=first.example==HHH=TT=elsewhere.example=alice@example.org`, which leads back to the host that wrote it first.
package struct SenderRewriting: Sendable {
    private let hash: @Sendable ([UInt8]) -> [UInt8]

    /// Days within which a notice must come: queues give up after five, and people answer late.
    package static let lifetime = 21
    /// Characters of the hash: 2^30 guesses.
    static let hashLength = 6

    private static let equals = UInt8(ascii: "=")
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

    /// `hash`: HMAC-SHA-256 under a secret of this system, at least 8 octets long.
    package init(hash: @escaping @Sendable ([UInt8]) -> [UInt8]) { self.hash = hash }

    /// Whether an address has the form, whoever wrote it.
    package static func isRewritten(_ address: EmailAddress) -> Bool { kind(of: address.localPart) != nil }

    /// The sender to use instead of `sender`, in a domain of ours; nil where that would be longer than a local part may be (RFC 5321 §4.5.3.1.1).
    ///
    /// `day`: days since 1970, of the message, so that each attempt has the same sender.
    package func rewritten(_ sender: EmailAddress, at domain: Domain, day: Int) -> EmailAddress? {
        let local = sender.localPart
        switch SenderRewriting.kind(of: local) {
        case 0:
            // What stands behind "SRS0", its separator included, is that host's own.
            return guarded(host: sender.domain.bytes[...], rest: local.dropFirst(4), at: domain)
        case 1:
            guard let (_, host, rest) = SenderRewriting.guardedParts(local) else { return plain(sender, at: domain, day: day) }
            return guarded(host: host, rest: rest, at: domain)
        default:
            return plain(sender, at: domain, day: day)
        }
    }

    /// To whom a notice for `address` goes; nil unless we wrote that address, within `lifetime` days before `day`.
    package func original(of address: EmailAddress, day: Int) -> EmailAddress? {
        let local = address.localPart
        switch SenderRewriting.kind(of: local) {
        case 0:
            let parts = local.dropFirst(5).split(separator: SenderRewriting.equals, maxSplits: 3, omittingEmptySubsequences: false)
            guard parts.count == 4, let age = SenderRewriting.age(parts[1], on: day), age <= SenderRewriting.lifetime,
                matches(parts[0], parts[1] + parts[2] + parts[3]), let domain = Domain(parsing: parts[2])
            else { return nil }
            return EmailAddress(localPart: Array(parts[3]), domain: domain)
        case 1:
            guard let (hash, host, rest) = SenderRewriting.guardedParts(local), matches(hash, host + rest), let domain = Domain(parsing: host)
            else { return nil }
            return EmailAddress(localPart: Array("SRS0".utf8) + rest, domain: domain)
        default:
            return nil
        }
    }

    private func plain(_ sender: EmailAddress, at domain: Domain, day: Int) -> EmailAddress? {
        let stamp = SenderRewriting.stamp(day)
        let tag = tag(stamp + sender.domain.bytes + sender.localPart)
        let parts = [Array("SRS0".utf8), tag, stamp, sender.domain.bytes, sender.localPart]
        return EmailAddress(localPart: Array(parts.joined(separator: [SenderRewriting.equals])), domain: domain)
    }

    private func guarded(host: ArraySlice<UInt8>, rest: ArraySlice<UInt8>, at domain: Domain) -> EmailAddress? {
        let parts = [Array("SRS1".utf8), tag(Array(host + rest)), Array(host), Array(rest)]
        return EmailAddress(localPart: Array(parts.joined(separator: [SenderRewriting.equals])), domain: domain)
    }

    // MARK: The parts

    /// 0 or 1 for an address of the scheme: `SRS0` or `SRS1`, in any case, then a separator.
    private static func kind(of local: [UInt8]) -> Int? {
        guard local.count > 5, [UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-")].contains(local[4]) else { return nil }
        if local.prefix(4).equalsIgnoringASCIICase("SRS0") { return 0 }
        return local.prefix(4).equalsIgnoringASCIICase("SRS1") ? 1 : nil
    }

    /// Hash, first host, and what stood behind its `SRS0`.
    private static func guardedParts(_ local: [UInt8]) -> (ArraySlice<UInt8>, host: ArraySlice<UInt8>, rest: ArraySlice<UInt8>)? {
        let parts = local.dropFirst(5).split(separator: equals, maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[1].isEmpty, !parts[2].isEmpty else { return nil }
        return (parts[0], parts[1], parts[2])
    }

    /// Five bits a character, without case: a host on the way may have changed that.
    private func tag(_ text: [UInt8]) -> [UInt8] {
        let digest = hash(text.asciiLowercased)
        let bits = digest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return (0..<SenderRewriting.hashLength).map { SenderRewriting.alphabet[Int(bits >> UInt64(59 - 5 * $0) & 31)] }
    }

    private func matches(_ given: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        let own = tag(Array(text))
        guard given.count == own.count else { return false }
        // In a time that says nothing of where they differ.
        return zip(given, own).reduce(UInt8(0)) { $0 | ($1.0.asciiLowercased ^ $1.1.asciiLowercased) } == 0
    }

    /// Days modulo 1024, in two characters.
    private static func stamp(_ day: Int) -> [UInt8] {
        let day = day & 1023
        return [alphabet[day >> 5], alphabet[day & 31]]
    }

    /// How many days before `day` a stamp was written.
    private static func age(_ stamp: ArraySlice<UInt8>, on day: Int) -> Int? {
        let digits = stamp.compactMap { byte in alphabet.firstIndex { $0.asciiLowercased == byte.asciiLowercased } }
        guard stamp.count == 2, digits.count == 2 else { return nil }
        return (day - (digits[0] << 5 | digits[1])) & 1023
    }
}
