// TLS as the configuration sets it, and logins bound to it.

import Configuration
import Connection
import Directory
import Kernel
import SASLProtocol

extension ServerTLS {
    /// SMTP has no name in ALPN's registry (RFC 7301 §6): a client that insists on one may say `smtp`.
    convenience init(_ configuration: Configuration.TLS) throws(TLSError) {
        try self.init(
            chainFile: configuration.certificate.bytes, keyFile: configuration.key.bytes,
            further: configuration.certificates.map { CertificateFiles(chain: $0.chain.bytes, key: $0.key.bytes) },
            profile: configuration.profile == .modern ? .modern : .compatible, hash: { certificateHash(bits: $0.rawValue, $1) })
    }
}

extension TLSFacts {
    /// What a login on this connection is bound to, where the session offers that.
    func binding(_ mechanisms: [[UInt8]]) -> ChannelBinding? {
        mechanisms.contains(Mechanism.scramSHA256Plus.name) ? .serverEndPoint(endPoint) : nil
    }
}
