// What a driver can do with its connection. All of it is for the connection's loop, except `replyAddress`.

internal import NIOCore
import Synchronization

/// A connection in a driver's hands: send, secure, limit, ask, close.
///
/// What is sent is gathered and leaves at the end of the turn: one system call however many replies a pipelined
/// batch caused. Nothing here fails; a connection that broke tells the driver by `ended`.
package class Wire<Answer: Sendable> {
    /// Where the connection comes from, or goes to.
    package let arrival: Arrival
    /// What the handshake agreed; nil in clear.
    package internal(set) var tls: TLSFacts?

    enum Stage { case connecting, handshaking, open, closing, surrendering, relaying, ended }

    let home: LoopHome
    let serverTLS: ServerTLS?
    /// The only thing here that other threads may look at: the driver was told `ended`, and takes no answer.
    let isGone = Atomic<Bool>(false)
    var stage = Stage.connecting
    var clock = SessionClock()
    var context: ChannelHandlerContext?
    var outgoing = ByteBuffer()
    /// What arrived while the machine wanted none.
    var held = ByteBuffer()
    /// Who takes the bytes once the connection is relayed.
    var partner: RelayEnd?
    var inputIsOver = false
    /// The handshake goes on or will begin by itself: implicit TLS.
    var expectsHandshake = false
    var handshakeLimit = PumpLimits.handshake
    /// Where the limits count this connection.
    var seat: Seat?
    /// What the hellos of a handshake as server said.
    var hello = HelloFacts()
    /// We are the client, and the peer must show a certificate.
    var isVerifying = false
    /// A check of the caller's own judges it.
    var isChecking = false

    init(arrival: Arrival, home: LoopHome, serverTLS: ServerTLS?) {
        self.arrival = arrival
        self.home = home
        self.serverTLS = serverTLS
    }

    /// Lets the machine go on, then writes, reads and sets the alarm as it left them.
    func turn() {}
    func take(_ answer: Answer) {}
    /// The end of the session: tells the driver, once.
    func finish(_ ending: Ending) {}

    // MARK: bytes

    package func send(_ bytes: [UInt8]) { append(bytes) }
    package func send(_ bytes: ArraySlice<UInt8>) { append(bytes) }
    package func send(_ text: StaticString) {
        guard stage == .open else { return }
        reserve(text.utf8CodeUnitCount)
        outgoing.writeStaticString(text)
    }

    private func append(_ bytes: some Collection<UInt8>) {
        guard stage == .open else { return }
        reserve(bytes.count)
        outgoing.writeBytes(bytes)
    }

    private func reserve(_ count: Int) {
        if outgoing.capacity == 0, let context { outgoing = context.channel.allocator.buffer(capacity: max(count, 256)) }
    }

    /// Lets what was sent go, says nothing more, and ends; what still arrives is thrown away.
    package func close() {
        if stage == .open || stage == .connecting { stage = .closing }
    }

    /// Ends now; what was not yet taken is lost.
    package func abort() { cut(.closed) }

    // MARK: limits

    /// The longest silence of the peer while the machine wants input; the same bounds how long it may refuse to read.
    package func limitSilence(to limit: Duration?) {
        clock.silence = limit.map(TimeAmount.init)
        clock.touch()
    }

    /// The time from now in which what now begins must end, however busy it is; nil takes the limit away.
    package func limitTransaction(to limit: Duration?) {
        clock.end = limit.map { .now() + TimeAmount($0) }
    }

    // MARK: questions

    /// Where an answer for this connection goes, from any thread; it may outlive the connection.
    package var replyAddress: ReplyAddress<Answer> { ReplyAddress(self) }

    /// Runs blocking work elsewhere; its result comes back as `answered`.
    package func ask(_ pool: WorkerPool, _ work: @escaping @Sendable () -> Answer) {
        let address = replyAddress
        pool.submit { address.deliver(work()) }
    }

    func cut(_ ending: Ending) {
        let context = context
        finish(ending)
        if let context { closeTransport(context) }
    }

    /// Writes what was gathered.
    func flush(promise: EventLoopPromise<Void>? = nil) {
        guard let context, outgoing.readableBytes > 0 || promise != nil else { return }
        context.writeAndFlush(NIOAny(outgoing), promise: promise)
        outgoing = ByteBuffer()
    }
}
