// One GET by HTTPS to a numeric address, for policies that are published so (RFC 8461 §3.3): small, certified, never redirected.

internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// What was asked for, or why it was not had.
package enum HTTPSAnswer: Sendable {
    case content([UInt8])
    /// The server's certificate, or TLS at all.
    case notSecure(reason: String)
    /// No connection, no answer in time, another status than 200, too much.
    case failed(reason: String)
}

/// What to ask for.
package struct HTTPSRequest: Sendable {
    package let address: SocketName
    /// The name that the certificate must bear.
    package let host: [UInt8]
    package let path: String
    /// Octets of content that are taken.
    package let limit: Int
    /// For everything, from connecting to the last octet.
    package let timeout: Duration

    package init(address: SocketName, host: [UInt8], path: String, limit: Int, timeout: Duration) {
        self.address = address
        self.host = host
        self.path = path
        self.limit = limit
        self.timeout = timeout
    }
}

/// Asks and waits; for worker threads only.
package struct HTTPSClient: Sendable {
    private let loops: LoopGroup
    private let tls: ClientTLS

    /// `tls`: a verifying one.
    package init(loops: LoopGroup, tls: ClientTLS) {
        self.loops = loops
        self.tls = tls
    }

    package func get(_ request: HTTPSRequest) -> HTTPSAnswer {
        guard tls.isVerifying, let address = request.address.socketAddress else { return .failed(reason: "not an address: \(request.address)") }
        let loop = loops.group.next()
        let promise = loop.makePromise(of: HTTPSAnswer.self)
        let tls = tls
        ClientBootstrap(group: loop)
            .connectTimeout(TimeAmount(request.timeout))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(try ClientTLS.handler(tls, serverName: request.host))
                    var limits = NIOHTTPDecoderLimitConfiguration()
                    limits.maxHeaderFieldSize = 16 * 1024
                    limits.maxHeaderListSize = 64 * 1024
                    limits.maxHeaderFieldCount = 100
                    try pipeline.addHTTPClientHandlers(decoderLimitConfiguration: limits)
                    try pipeline.addHandler(HTTPSHandler(request, promise))
                }
            }
            .connect(to: address)
            .whenFailure { promise.succeed(.failed(reason: "cannot connect: \($0)")) }
        do { return try promise.futureResult.wait() } catch { return .failed(reason: "\(error)") }
    }
}

/// Sends the one request, gathers the one answer, and answers once.
private final class HTTPSHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let request: HTTPSRequest
    private let promise: EventLoopPromise<HTTPSAnswer>
    private var content: [UInt8] = []
    private var isSecure = false
    private var alarm: Scheduled<Void>?

    init(_ request: HTTPSRequest, _ promise: EventLoopPromise<HTTPSAnswer>) {
        self.request = request
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel, promise = promise
        alarm = context.eventLoop.scheduleTask(in: TimeAmount(request.timeout)) {
            promise.succeed(.failed(reason: "no answer in time"))
            channel.close(promise: nil)
        }
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: request.path)
        head.headers.add(name: "Host", value: String(decoding: request.host, as: UTF8.self))
        head.headers.add(name: "Connection", value: "close")
        head.headers.add(name: "User-Agent", value: "Martlet")
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isSecure = true
        switch unwrapInboundIn(data) {
        case .head(let head):
            // RFC 8461 §3.3: a redirection is not followed.
            guard head.status.code == 200 else { return finish(context, .failed(reason: "the server answers \(head.status.code)")) }
            // RFC 8461 §3.2.
            let type = head.headers.first(name: "Content-Type")?.split(separator: ";").first.map(String.init)?.lowercased()
            guard type?.split(separator: " ").first == "text/plain" else { return finish(context, .failed(reason: "the policy is not text/plain")) }
        case .body(let bytes):
            guard content.count + bytes.readableBytes <= request.limit else {
                return finish(context, .failed(reason: "more than \(request.limit) octets"))
            }
            content += bytes.readableBytesView
        case .end: finish(context, .content(content))
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // An end that TLS does not vouch for may be an attacker's: a policy without its last lines is another policy (RFC 8446 §6.1).
        if let error = error as? NIOSSLError, case .uncleanShutdown = error { return finish(context, .failed(reason: "the connection was cut")) }
        let handler = try? context.pipeline.syncOperations.handler(type: NIOSSLHandler.self)
        if !isSecure, let fault = CertificateFault(error, handler, isChecked: false) { return finish(context, .notSecure(reason: fault.rawValue)) }
        let isTLS = error is NIOSSLError || error is BoringSSLError || error is NIOSSLExtraError
        finish(context, isTLS ? .notSecure(reason: "\(error)") : .failed(reason: "\(error)"))
    }

    func channelInactive(context: ChannelHandlerContext) { finish(context, .failed(reason: "the server closed the connection")) }

    /// The first answer counts.
    private func finish(_ context: ChannelHandlerContext, _ answer: HTTPSAnswer) {
        alarm?.cancel()
        promise.succeed(answer)
        context.close(promise: nil)
    }
}
