// TLS as a client: verified against the system's roots (or a given file) and a name, by a check of the caller's own, or opportunistic.

internal import NIOCore
internal import NIOSSL

/// A certificate as the server showed it, in DER.
package struct ShownCertificate: Hashable, Sendable {
    package let whole: [UInt8]
    /// Its SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
    package let publicKey: [UInt8]
}

/// Judges a chain, the server's own certificate first; `answer` is called once, from any thread.
package typealias CertificateCheck = @Sendable (_ chain: [ShownCertificate], _ answer: @escaping @Sendable (Bool) -> Void) -> Void

/// How a client secures its connections. One value serves many connections.
package struct ClientTLS: Sendable {
    let context: NIOSSLContext
    let isVerifying: Bool
    /// Takes the place of the library's verification, of chain, dates and names alike.
    var check: CertificateCheck?

    /// Encryption without authentication: better than none, when the alternative is to send in clear (RFC 7435 §3).
    package static func opportunistic() throws(TLSError) -> ClientTLS {
        try ClientTLS(verification: .none, roots: .default)
    }

    /// The peer must show a chain to the system's roots, or to those in `rootsFile`, for the name that is dialled.
    package static func verified(rootsFile: [UInt8]? = nil) throws(TLSError) -> ClientTLS {
        let roots: NIOSSLTrustRoots = rootsFile.map { .file(String(decoding: $0, as: UTF8.self)) } ?? .default
        return try ClientTLS(verification: .fullVerification, roots: roots)
    }

    /// The peer must show a chain that `check` accepts; no root is trusted (RFC 7672 §3.1).
    package static func checked(by check: @escaping CertificateCheck) throws(TLSError) -> ClientTLS {
        var tls = try ClientTLS(verification: .noHostnameVerification, roots: .certificates([]))
        tls.check = check
        return tls
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

extension ClientTLS {
    /// An address cannot be a server name (RFC 6066 §3), and an opportunistic client needs none.
    static func handler(_ client: ClientTLS, serverName: [UInt8]?) throws -> NIOSSLClientHandler {
        let name = serverName.map { String(decoding: $0, as: UTF8.self) }
        if let check = client.check { return try checking(client.context, name, check) }
        if client.isVerifying { return try NIOSSLClientHandler(context: client.context, serverHostname: name) }
        if let named = try? NIOSSLClientHandler(context: client.context, serverHostname: name) { return named }
        return try NIOSSLClientHandler(context: client.context, serverHostname: nil)
    }

    private static func checking(_ context: NIOSSLContext, _ name: String?, _ check: @escaping CertificateCheck) throws -> NIOSSLClientHandler {
        try NIOSSLClientHandler(context: context, serverHostname: name) { chain, promise in
            let shown = chain.map { certificate in
                ShownCertificate(
                    whole: (try? certificate.toDERBytes()) ?? [], publicKey: (try? certificate.extractPublicKey().toSPKIBytes()) ?? [])
            }
            check(shown) { promise.succeed($0 ? .certificateVerified : .failed) }
        }
    }
}
