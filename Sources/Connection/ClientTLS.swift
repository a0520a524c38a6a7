// TLS as a client: verified against the system's roots (or a given file) and a name, or opportunistic.

internal import NIOSSL

/// How a client secures its connections. One value serves many connections.
package struct ClientTLS: Sendable {
    let context: NIOSSLContext
    let isVerifying: Bool

    /// Encryption without authentication: better than none, when the alternative is to send in clear (RFC 7435 §3).
    package static func opportunistic() throws(TLSError) -> ClientTLS {
        try ClientTLS(verification: .none, roots: .default)
    }

    /// The peer must show a chain to the system's roots, or to those in `rootsFile`, for the name that is dialled.
    package static func verified(rootsFile: [UInt8]? = nil) throws(TLSError) -> ClientTLS {
        let roots: NIOSSLTrustRoots = rootsFile.map { .file(String(decoding: $0, as: UTF8.self)) } ?? .default
        return try ClientTLS(verification: .fullVerification, roots: roots)
    }

    private init(verification: CertificateVerification, roots: NIOSSLTrustRoots) throws(TLSError) {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = verification
        configuration.trustRoots = roots
        configuration.minimumTLSVersion = .tlsv12  // RFC 8996
        configuration.shutdownTimeout = PumpLimits.linger
        do { context = try NIOSSLContext(configuration: configuration) } catch { throw TLSError("cannot set up TLS: \(error)") }
        switch verification {
        case .none: isVerifying = false
        case .optionalVerification, .noHostnameVerification, .fullVerification: isVerifying = true
        }
    }
}
