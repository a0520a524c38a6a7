// The upgrade in place, as server and as client. Nothing that arrived before the handshake is ever believed after it.

internal import NIOCore
internal import NIOSSL

extension Wire {
    /// Sends what was gathered in clear, forgets what is held, and lets the handshake begin (RFC 3207 §4.2, §6).
    ///
    /// The machine forgets the rest of its own buffer itself. False when there is no certificate, or TLS already.
    @discardableResult
    package func startTLS() -> Bool {
        guard let serverTLS else { return false }
        return upgrade { helloHandler(serverTLS) }
    }

    /// The client's side, after the server's reply. Bytes behind that reply are an injection and end the session.
    @discardableResult
    package func startTLS(_ client: ClientTLS, serverName: [UInt8]?) -> Bool {
        if held.readableBytes > 0 {
            cut(.tlsFailed(reason: "bytes in clear behind the reply to STARTTLS"))
            return false
        }
        isVerifying = client.isVerifying
        isChecking = client.check != nil
        return upgrade { try ClientTLS.handler(client, serverName: serverName) }
    }

    /// What begins a handshake as server: it adds TLS itself once it has seen the ClientHello.
    func helloHandler(_ serverTLS: ServerTLS) -> HelloHandler { HelloHandler(serverTLS) { [weak self] in self?.hello = $0 } }

    private func upgrade(_ make: () throws -> any ChannelHandler) -> Bool {
        guard stage == .open, tls == nil, let context else { return false }
        flush()
        held = ByteBuffer()
        stage = .handshaking
        limitHandshake()
        do {
            try context.pipeline.syncOperations.addHandler(try make(), position: .before(context.handler))
            return true
        } catch {
            cut(.tlsFailed(reason: "\(error)"))
            return false
        }
    }

    /// One end for the whole handshake; who may not be silent in the dialogue may not be in it either.
    func limitHandshake() { clock.closing = .now() + min(handshakeLimit, clock.silence ?? handshakeLimit) }

    /// Closes beneath TLS: its own close would wait for a peer that has ended, or that we no longer wait for.
    func closeTransport(_ context: ChannelHandlerContext) {
        let beneath = try? context.pipeline.syncOperations.context(handlerType: NIOSSLHandler.self)
        (beneath ?? context).close(promise: nil)
    }

    /// Why a handshake failed, in our words where it was the certificate.
    func handshakeFailure(_ error: any Error, _ context: ChannelHandlerContext) -> String {
        guard isVerifying else { return "\(error)" }
        let handler = try? context.pipeline.syncOperations.handler(type: NIOSSLHandler.self)
        return CertificateFault(error, handler, isChecked: isChecking)?.rawValue ?? "\(error)"
    }

    func agreedTLS(_ context: ChannelHandlerContext) -> TLSFacts {
        let handler = try? context.pipeline.syncOperations.handler(type: NIOSSLHandler.self)
        let version: TLSFacts.Version =
            switch handler?.tlsVersion {
            case .tlsv12: .tls12
            case .tlsv13: .tls13
            case .tlsv1, .tlsv11, nil: .older
            }
        return TLSFacts(
            version: version, isVerified: isVerifying, cipher: hello.cipher, serverName: hello.serverName,
            protocolName: hello.protocolName, endPoint: hello.endPoint)
    }
}
