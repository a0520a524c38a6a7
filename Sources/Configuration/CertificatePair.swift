// A certificate chain and its key, in one text.

package import Kernel

/// `chain:key`, two paths with one colon between them.
package struct CertificatePair: Hashable, Sendable {
    package let chain: Path
    package let key: Path

    /// Both as seen from `folder`.
    func resolved(from folder: Path) -> CertificatePair {
        CertificatePair(chain: chain.resolved(from: folder), key: key.resolved(from: folder))
    }
}

extension CertificatePair: ConfigurationValue {
    package static let kind = "two paths such as \"etc/tls/example.net.pem:etc/tls/example.net.key\""

    package init?(_ literal: ConfigurationLiteral) {
        guard let text = String(literal) else { return nil }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let chain = Path(.text(String(parts[0]))), let key = Path(.text(String(parts[1]))) else { return nil }
        self.init(chain: chain, key: key)
    }

    package var literal: ConfigurationLiteral { .text("\(chain):\(key)") }
}
