// The check of a certificate by TLSA records, in the place of the usual one (RFC 7672 §3.1).

import Connection
import Crypto
import MailPolicy
import SwiftASN1
import X509

extension CertificateDemand {
    /// Judges a server's chain; `names` for one that hangs on a trust anchor.
    func check(names: [[UInt8]]) -> CertificateCheck {
        { chain, answer in
            let presented = chain.map { PresentedCertificate(whole: $0.whole, publicKey: $0.publicKey) }
            switch verdict(on: presented, .system) {
            case .proven: answer(true)
            case .mismatched: answer(false)
            case .anchored(let places):
                Task { answer(await AnchoredChain(chain.map(\.whole), anchors: places)?.isValid(for: names) ?? false) }
            }
        }
    }
}

extension CertificateHashes {
    fileprivate static let system = CertificateHashes(sha256: { Array(SHA256.hash(data: $0)) }, sha512: { Array(SHA512.hash(data: $0)) })
}

/// A chain of which some certificates are trusted: dates, names and signatures up to one of those must be right (RFC 7671 §5.2).
private struct AnchoredChain: Sendable {
    private static let mostCertificates = 12

    private let own: Certificate
    private let others: [Certificate]
    private let anchors: [Certificate]

    /// Nil if what is needed cannot be read.
    init?(_ chain: [[UInt8]], anchors places: [Int]) {
        var certificates: [Int: Certificate] = [:]
        for (index, der) in chain.prefix(AnchoredChain.mostCertificates).enumerated() {
            certificates[index] = try? Certificate(derEncoded: der)
        }
        guard let own = certificates[0] else { return nil }
        self.own = own
        others = certificates.filter { $0.key > 0 }.map(\.value)
        anchors = places.compactMap { certificates[$0] }
    }

    /// RFC 7672 §3.2.2: any of the names will do.
    func isValid(for names: [[UInt8]]) async -> Bool {
        for name in names {
            var verifier = Verifier(rootCertificates: CertificateStore(anchors)) {
                RFC5280Policy()
                ServerIdentityPolicy(serverHostname: String(decoding: name, as: UTF8.self), serverIP: nil)
            }
            if case .validCertificate = await verifier.validate(leaf: own, intermediates: CertificateStore(others)) { return true }
        }
        return false
    }
}
