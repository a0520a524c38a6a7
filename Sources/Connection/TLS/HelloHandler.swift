// Between the socket and TLS, as server, until the hellos are over: it picks the certificate, refuses a client of another
// protocol, and reads what was agreed, which the TLS library does not tell. Each byte goes on as it came.

internal import NIOCore
internal import NIOSSL

/// What the hellos said.
struct HelloFacts {
    var serverName: [UInt8]?
    /// What was offered and is ours (RFC 7301).
    var protocolName: [UInt8]?
    var cipher: [UInt8] = []
    /// The hash of the certificate that was shown; empty where it has none.
    var endPoint: [UInt8] = []
}

/// Why a handshake was refused before TLS saw it.
struct HelloRefusal: Error, CustomStringConvertible { let description: String }

/// Adds the TLS handler behind itself as soon as the ClientHello is whole, and leaves after the ServerHello.
final class HelloHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Stage { case client(FirstHandshakeMessage), server(FirstHandshakeMessage), over }

    private let tls: ServerTLS
    private let tell: (HelloFacts) -> Void
    private var stage = Stage.client(FirstHandshakeMessage())
    /// At most the limit of `FirstHandshakeMessage` and one read.
    private var held = ByteBuffer()
    private var facts = HelloFacts()

    init(_ tls: ServerTLS, tell: @escaping (HelloFacts) -> Void) {
        self.tls = tls
        self.tell = tell
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .client(var message) = stage else { return context.fireChannelRead(data) }
        var bytes = unwrapInboundIn(data)
        let outcome = message.read(bytes.readableBytesView)
        held.writeBuffer(&bytes)
        stage = .client(message)
        switch outcome {
        case .more: break
        case .message(ClientHello.type, let body): answer(ClientHello(body), context)
        // No TLS at all: the library says so in its own words.
        case .other where held.readableBytesView.first != TLSAlert.handshakeRecord: begin(nil, context)
        case .message, .other: answer(nil, context)
        }
    }

    private func answer(_ hello: ClientHello?, _ context: ChannelHandlerContext) {
        guard let hello else { return refuse(.decodeError, "the ClientHello cannot be read", context) }
        guard hello.accepts(tls.protocolName) else {
            let names = (hello.protocols ?? []).prefix(8).map { String(decoding: $0.map { (0x21...0x7E).contains($0) ? $0 : 0x3F }, as: UTF8.self) }
            return refuse(.noApplicationProtocol, "the client speaks \(names.joined(separator: ", "))", context)
        }
        begin(hello, context)
    }

    /// RFC 7301 §3.2: who came for another protocol must not have its bytes read as ours.
    private func refuse(_ alert: TLSAlert, _ reason: String, _ context: ChannelHandlerContext) {
        stage = .over
        held = ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: alert.record)), promise: nil)
        context.fireErrorCaught(HelloRefusal(description: reason))
    }

    private func begin(_ hello: ClientHello?, _ context: ChannelHandlerContext) {
        let identity = tls.identity(for: hello?.serverName)
        facts.serverName = hello?.serverName
        facts.protocolName = hello?.protocols == nil ? nil : tls.protocolName
        facts.endPoint = identity.endPoint
        stage = .server(FirstHandshakeMessage())
        let first = held
        held = ByteBuffer()
        do {
            try context.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: identity.context), position: .after(self))
        } catch {
            return context.fireErrorCaught(error)
        }
        context.fireChannelRead(wrapInboundOut(first))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .server(var message) = stage else { return context.write(data, promise: promise) }
        let outcome = message.read(unwrapOutboundIn(data).readableBytesView)
        stage = .server(message)
        context.write(data, promise: promise)
        switch outcome {
        case .more: return
        case .message(ServerHello.type, let body): if let hello = ServerHello(body) { facts.cipher = hello.cipherName }
        case .message, .other: break
        }
        stage = .over
        tell(facts)
    }

    /// It leaves here and not in `write`: a handler that is gone does not pass the flush on that follows.
    func flush(context: ChannelHandlerContext) {
        context.flush()
        if case .over = stage { context.pipeline.syncOperations.removeHandler(context: context, promise: nil) }
    }
}

/// The alerts that we send ourselves (RFC 8446 §6), as whole records.
enum TLSAlert: UInt8 {
    case decodeError = 50
    case noApplicationProtocol = 120

    static let handshakeRecord: UInt8 = 22

    var record: [UInt8] { [21, 3, 1, 0, 2, 2, rawValue] }
}
