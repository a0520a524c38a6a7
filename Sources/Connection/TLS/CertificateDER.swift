// The three things of a certificate that a server must know of itself (RFC 5280 §4.1), by a bounded walk through its DER.
// The certificate is our own, from a file that the TLS library accepted; the walk is total all the same.

/// A certificate's names, and the hash that its signature was made with.
struct CertificateDER: Hashable, Sendable {
    /// The hashes of tls-server-end-point (RFC 5929 §4.1): MD5 and SHA-1 become SHA-256.
    let hash: EndPointHash?
    /// The DNS names of subjectAltName in lower case, a wildcard as `*.example.org`.
    let names: [[UInt8]]

    init?(_ der: [UInt8]) {
        guard der.count <= 1 << 20 else { return nil }
        var file = DERCursor(der[...])
        guard let whole = file.take(DERCursor.sequence) else { return nil }
        var parts = DERCursor(whole)
        guard let signed = parts.take(DERCursor.sequence), let algorithm = parts.take(DERCursor.sequence) else { return nil }
        hash = EndPointHash(signatureAlgorithm: algorithm)
        names = CertificateDER.names(signed)
    }

    /// Whether this certificate is for `name`, in lower case (RFC 9525 §6.3: a wildcard is one whole label, the leftmost).
    func covers(_ name: [UInt8]) -> Bool {
        if names.contains(name) { return true }
        guard let dot = name.firstIndex(of: UInt8(ascii: ".")), dot > 0 else { return false }
        return names.contains([UInt8(ascii: "*")] + name[dot...])
    }

    private static func names(_ signed: ArraySlice<UInt8>) -> [[UInt8]] {
        var fields = DERCursor(signed)
        while let (tag, content) = fields.next() {
            guard tag == 0xA3 else { continue }
            var wrapped = DERCursor(content)
            guard let list = wrapped.take(DERCursor.sequence) else { return [] }
            var extensions = DERCursor(list)
            while let one = extensions.take(DERCursor.sequence) {
                if let names = alternativeNames(one) { return names }
            }
        }
        return []
    }

    /// The names of one extension; nil if it is another than subjectAltName (2.5.29.17).
    private static func alternativeNames(_ one: ArraySlice<UInt8>) -> [[UInt8]]? {
        var parts = DERCursor(one)
        guard let id = parts.take(0x06), id.elementsEqual([0x55, 0x1D, 0x11]), var (tag, content) = parts.next() else { return nil }
        if tag == 0x01 {
            guard let value = parts.next() else { return nil }
            (tag, content) = value
        }
        var value = DERCursor(content)
        guard tag == 0x04, let list = value.take(DERCursor.sequence) else { return nil }
        var names = DERCursor(list)
        var found: [[UInt8]] = []
        while let (tag, name) = names.next() {
            if tag == 0x82 { found.append(name.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }) }
        }
        return found
    }
}

/// The hash of a certificate that binds a login to the connection it is made on.
package enum EndPointHash: Int, Hashable, Sendable {
    /// By their length in bits.
    case sha256 = 256, sha384 = 384, sha512 = 512

    /// Nil for algorithms with no hash of their own or more than one (EdDSA, PSS): RFC 5929 §4.1 defines no binding there.
    init?(signatureAlgorithm: ArraySlice<UInt8>) {
        var cursor = DERCursor(signatureAlgorithm)
        guard let id = cursor.take(0x06).map(Array.init), let last = id.last else { return nil }
        switch Array(id.dropLast()) {
        // 1.2.840.113549.1.1: MD5 and SHA-1 with RSA, then the SHA-2 family.
        case [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01]: self.init(number: last, [4: .sha256, 5: .sha256, 11: .sha256, 12: .sha384, 13: .sha512])
        // 1.2.840.10045.4: ECDSA with SHA-1; .3: with the SHA-2 family.
        case [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04]: self.init(number: last, [1: .sha256])
        case [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03]: self.init(number: last, [2: .sha256, 3: .sha384, 4: .sha512])
        default: return nil
        }
    }

    private init?(number: UInt8, _ table: [UInt8: EndPointHash]) {
        guard let hash = table[number] else { return nil }
        self = hash
    }
}

/// Elements of definite length, one after the other.
private struct DERCursor {
    static let sequence: UInt8 = 0x30
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// The next element; nil at the end, and for what is no DER.
    mutating func next() -> (tag: UInt8, content: ArraySlice<UInt8>)? {
        guard let tag = rest.popFirst(), let first = rest.popFirst() else { return nil }
        var length = Int(first)
        if first >= 0x80 {
            let count = Int(first & 0x7F)
            guard (1...3).contains(count), count <= rest.count else { return nil }
            length = rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(count)
        }
        guard length <= rest.count else { return nil }
        defer { rest = rest.dropFirst(length) }
        return (tag, rest.prefix(length))
    }

    mutating func take(_ tag: UInt8) -> ArraySlice<UInt8>? {
        guard let (found, content) = next(), found == tag else { return nil }
        return content
    }
}
