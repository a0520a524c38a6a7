// The certificates and keys of a service, read again when the files have changed; sessions keep what they began with.

internal import CLinux
internal import NIOSSL
import Synchronization

/// Why certificate or key cannot be used; the text names the file, never its content.
package struct TLSError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// A certificate chain and its private key, as PEM files.
package struct CertificateFiles: Hashable, Sendable {
    package let chain: [UInt8]
    package let key: [UInt8]

    package init(chain: [UInt8], key: [UInt8]) {
        self.chain = chain
        self.key = key
    }
}

/// Which clients are served (RFC 9325).
package enum TLSProfile: Hashable, Sendable {
    /// TLS 1.3 alone.
    case modern
    /// Also TLS 1.2, with forward secrecy and authenticated encryption only.
    case compatible
}

/// Our side's certificates: one for everybody, and further ones for the names that they bear.
package final class ServerTLS: Sendable {
    /// A certificate as connections use it.
    struct Identity: Sendable {
        let context: NIOSSLContext
        let certificate: CertificateDER?
        /// tls-server-end-point (RFC 5929 §4); empty where it is not defined for the certificate.
        let endPoint: [UInt8]

        var unbound: Identity { Identity(context: context, certificate: certificate, endPoint: []) }
    }

    private struct Loaded {
        let first: Identity
        let further: [Identity]
        let stamps: [Stamp]
        let complaints: [String]
    }

    /// What tells one version of a file from the next: device, inode, size, time of change.
    private typealias Stamp = [UInt64]

    /// Our protocol's name in ALPN: `imap`.
    let protocolName: [UInt8]
    private let main: CertificateFiles
    private let further: [CertificateFiles]
    private let profile: TLSProfile
    private let hash: @Sendable (EndPointHash, [UInt8]) -> [UInt8]
    private let loaded: Mutex<Loaded>

    /// `further`: chosen by the server name that a client asks for; one that cannot be read is left out and complained of.
    /// `hash`: of a certificate, for channel binding; without it there is none.
    package init(
        chainFile: [UInt8], keyFile: [UInt8], further: [CertificateFiles] = [], profile: TLSProfile = .compatible,
        protocolName: [UInt8] = Array("smtp".utf8), hash: @escaping @Sendable (EndPointHash, [UInt8]) -> [UInt8] = { _, _ in [] }
    ) throws(TLSError) {
        main = CertificateFiles(chain: chainFile, key: keyFile)
        self.further = further
        self.profile = profile
        self.protocolName = protocolName
        self.hash = hash
        let loader = Loader(profile: profile, protocolName: protocolName, hash: hash)
        loaded = Mutex(try ServerTLS.load(main, further, loader))
    }

    /// What a client is shown that asks for `name`, in lower case: the certificate for it, else the first.
    func identity(for name: [UInt8]?) -> Identity {
        loaded.withLock { loaded in
            guard let name, loaded.first.certificate?.covers(name) != true else { return loaded.first }
            return loaded.further.first { $0.certificate?.covers(name) == true } ?? loaded.first
        }
    }

    /// Whether a login can be bound to a connection with any of the certificates.
    package var bindsLogins: Bool { loaded.withLock { !$0.first.endPoint.isEmpty } }

    /// Which further certificates cannot be used now, and why.
    package var complaints: [String] { loaded.withLock { $0.complaints } }

    /// Reads the files again if one was replaced. On an error the old set stays in use.
    package func reloadIfChanged() throws(TLSError) -> Bool {
        let stamps = ServerTLS.stamps(main, further)
        guard loaded.withLock({ $0.stamps != stamps }) else { return false }
        let fresh = try ServerTLS.load(main, further, Loader(profile: profile, protocolName: protocolName, hash: hash))
        // A further certificate that served until now must not vanish because its file is being written.
        if let complaint = fresh.complaints.first, loaded.withLock({ $0.further.count > fresh.further.count }) { throw TLSError(complaint) }
        loaded.withLock { $0 = fresh }
        return true
    }

    private static func load(_ main: CertificateFiles, _ further: [CertificateFiles], _ loader: Loader) throws(TLSError) -> Loaded {
        // Stamped before they are read: a change in between is found by the next look.
        let stamps = stamps(main, further)
        let first = try loader.identity(main)
        var others: [Identity] = []
        var complaints: [String] = []
        for files in further {
            do throws(TLSError) { others.append(try loader.identity(files)) } catch { complaints.append("\(error)") }
        }
        // A client is told of binding before it says which certificate it wants to see: all of them have it, or none.
        let binds = ([first] + others).allSatisfy { !$0.endPoint.isEmpty }
        return Loaded(
            first: binds ? first : first.unbound, further: binds ? others : others.map(\.unbound), stamps: stamps, complaints: complaints)
    }

    private static func stamps(_ main: CertificateFiles, _ further: [CertificateFiles]) -> [Stamp] {
        ([main] + further).flatMap { [$0.chain, $0.key] }.map { file in
            var stamp = Stamp(repeating: 0, count: 4)
            return martlet_file_stamp(String(decoding: file, as: UTF8.self), &stamp) == 0 ? stamp : []
        }
    }
}

/// Makes a context of files.
private struct Loader {
    let profile: TLSProfile
    let protocolName: [UInt8]
    let hash: @Sendable (EndPointHash, [UInt8]) -> [UInt8]

    func identity(_ files: CertificateFiles) throws(TLSError) -> ServerTLS.Identity {
        let (chainFile, keyFile) = (String(decoding: files.chain, as: UTF8.self), String(decoding: files.key, as: UTF8.self))
        let chain: [NIOSSLCertificate]
        do { chain = try NIOSSLCertificate.fromPEMFile(chainFile) } catch { throw TLSError("cannot read the certificate chain \(chainFile)") }
        guard let own = chain.first else { throw TLSError("no certificate in \(chainFile)") }
        let key: NIOSSLPrivateKey
        do { key = try NIOSSLPrivateKey(file: keyFile, format: .pem) } catch { throw TLSError("cannot read the private key \(keyFile)") }
        let context: NIOSSLContext
        do { context = try NIOSSLContext(configuration: configuration(chain, key)) } catch {
            throw TLSError("\(chainFile) and \(keyFile) do not belong together")
        }
        let der = (try? own.toDERBytes()) ?? []
        let certificate = CertificateDER(der)
        return ServerTLS.Identity(context: context, certificate: certificate, endPoint: certificate?.hash.map { hash($0, der) } ?? [])
    }

    private func configuration(_ chain: [NIOSSLCertificate], _ key: NIOSSLPrivateKey) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        switch profile {
        case .modern: configuration.minimumTLSVersion = .tlsv13
        case .compatible:
            configuration.minimumTLSVersion = .tlsv12  // RFC 8996
            configuration.cipherSuiteValues = Loader.suites
        }
        configuration.applicationProtocols = [String(decoding: protocolName, as: UTF8.self)]
        configuration.shutdownTimeout = PumpLimits.linger
        return configuration
    }

    /// Of TLS 1.2 (RFC 9325 §4.2); those of 1.3 are not chosen from.
    private static let suites: [NIOTLSCipher] = [
        .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ]
}
