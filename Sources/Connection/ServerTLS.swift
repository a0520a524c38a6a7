// The certificate and key of a service, read again when the files have changed; sessions keep what they began with.

internal import CLinux
internal import NIOSSL
import Synchronization

/// Why certificate or key cannot be used; the text names the file, never its content.
package struct TLSError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// Our side's certificate chain and private key, from PEM files.
package final class ServerTLS: Sendable {
    private struct Loaded {
        let context: NIOSSLContext
        let stamps: [Stamp]
    }

    /// What tells one version of a file from the next: device, inode, size, time of change.
    private typealias Stamp = [UInt64]

    private let chainFile: String
    private let keyFile: String
    private let loaded: Mutex<Loaded>

    package init(chainFile: [UInt8], keyFile: [UInt8]) throws(TLSError) {
        self.chainFile = String(decoding: chainFile, as: UTF8.self)
        self.keyFile = String(decoding: keyFile, as: UTF8.self)
        loaded = Mutex(try ServerTLS.load(self.chainFile, self.keyFile))
    }

    var context: NIOSSLContext { loaded.withLock { $0.context } }

    /// Reads the files again if one was replaced. On an error the old pair stays in use.
    package func reloadIfChanged() throws(TLSError) -> Bool {
        let stamps = ServerTLS.stamps(chainFile, keyFile)
        guard loaded.withLock({ $0.stamps != stamps }) else { return false }
        let fresh = try ServerTLS.load(chainFile, keyFile)
        loaded.withLock { $0 = fresh }
        return true
    }

    private static func load(_ chainFile: String, _ keyFile: String) throws(TLSError) -> Loaded {
        // Stamped before they are read: a change in between is found by the next look.
        let stamps = stamps(chainFile, keyFile)
        let chain: [NIOSSLCertificate]
        do { chain = try NIOSSLCertificate.fromPEMFile(chainFile) } catch { throw TLSError("cannot read the certificate chain \(chainFile)") }
        guard !chain.isEmpty else { throw TLSError("no certificate in \(chainFile)") }
        let key: NIOSSLPrivateKey
        do { key = try NIOSSLPrivateKey(file: keyFile, format: .pem) } catch { throw TLSError("cannot read the private key \(keyFile)") }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12  // RFC 8996
        configuration.shutdownTimeout = PumpLimits.linger
        do {
            return Loaded(context: try NIOSSLContext(configuration: configuration), stamps: stamps)
        } catch {
            throw TLSError("\(chainFile) and \(keyFile) do not belong together")
        }
    }

    private static func stamps(_ files: String...) -> [Stamp] {
        files.map { file in
            var stamp = Stamp(repeating: 0, count: 4)
            return martlet_file_stamp(file, &stamp) == 0 ? stamp : []
        }
    }
}
