// TLS as the configuration sets it, for a front.

import Configuration
import Connection
import Directory
import Kernel

extension ServerTLS {
    /// ALPN knows POP3 and IMAP by these names (RFC 7301 §6).
    convenience init(_ configuration: Configuration.TLS, protocolName service: Service) throws(TLSError) {
        try self.init(
            chainFile: configuration.certificate.bytes, keyFile: configuration.key.bytes,
            further: configuration.certificates.map { CertificateFiles(chain: $0.chain.bytes, key: $0.key.bytes) },
            profile: configuration.profile == .modern ? .modern : .compatible,
            protocolName: Array((service == .imapd ? "imap" : "pop3").utf8), hash: { certificateHash(bits: $0.rawValue, $1) })
    }
}
