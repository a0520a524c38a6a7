// Whether a server's certificates are those that its TLSA records name (RFC 7671 §5, RFC 7672 §3.1). Hashes come from the layer above.

/// A certificate as it came, and the part of it that selector 1 means.
package struct PresentedCertificate: Hashable, Sendable {
    /// DER of the whole.
    package let whole: [UInt8]
    /// DER of its SubjectPublicKeyInfo.
    package let publicKey: [UInt8]

    package init(whole: [UInt8], publicKey: [UInt8]) {
        self.whole = whole
        self.publicKey = publicKey
    }
}

/// SHA-256 and SHA-512, given from above so that this layer stays pure.
package struct CertificateHashes: Sendable {
    package let sha256: @Sendable ([UInt8]) -> [UInt8]
    package let sha512: @Sendable ([UInt8]) -> [UInt8]

    package init(sha256: @escaping @Sendable ([UInt8]) -> [UInt8], sha512: @escaping @Sendable ([UInt8]) -> [UInt8]) {
        self.sha256 = sha256
        self.sha512 = sha512
    }
}

/// The usable TLSA records of a server.
package struct CertificateDemand: Hashable, Sendable {
    package enum Verdict: Hashable, Sendable {
        /// The server's own certificate is named: its names and dates do not matter (RFC 7672 §3.1.1).
        case proven
        /// These certificates of the chain are named as trust anchors: a chain to one of them and a name must still be shown (RFC 7672 §3.1.2).
        case anchored([Int])
        case mismatched
    }

    /// Certificates of a chain that are looked at; none that works in practice is longer.
    private static let mostCertificates = 12

    package let records: [TLSARecord]

    /// Nil if no record is usable: then TLS is demanded, and nothing of the certificate (RFC 7672 §2.2).
    package init?(_ records: [TLSARecord]) {
        let usable = records.filter(\.isUsable)
        guard !usable.isEmpty else { return nil }
        self.records = usable
    }

    /// `chain`: as the server showed it, its own certificate first.
    package func verdict(on chain: [PresentedCertificate], _ hashes: CertificateHashes) -> Verdict {
        guard let own = chain.first else { return .mismatched }
        if records.contains(where: { $0.usage == 3 && $0.matches(own, hashes) }) { return .proven }
        let anchors = records.filter { $0.usage == 2 }
        let found = chain.indices.prefix(CertificateDemand.mostCertificates).filter { index in
            anchors.contains { $0.matches(chain[index], hashes) }
        }
        return found.isEmpty ? .mismatched : .anchored(Array(found))
    }
}

extension TLSARecord {
    fileprivate func matches(_ certificate: PresentedCertificate, _ hashes: CertificateHashes) -> Bool {
        let part = selector == 0 ? certificate.whole : certificate.publicKey
        guard !part.isEmpty else { return false }
        return switch matching {
        case 0: part == data
        case 1: hashes.sha256(part) == data
        case 2: hashes.sha512(part) == data
        default: false
        }
    }
}
