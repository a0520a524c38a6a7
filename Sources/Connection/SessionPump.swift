// The pump between a channel and a driver: read, hand over, let the machine act, write once a turn.
// The peer's bytes, errors and silence end this one session and nothing else.

internal import NIOCore
import Synchronization

/// Moves one connection's bytes and events; lives on the connection's loop.
final class SessionPump<Driver: SessionDriver>: Wire<Driver.Answer> {
    let driver: Driver
    let ledger: Ledger?
    /// Gives the admission back; called once, when the session has ended.
    private let onEnd: (() -> Void)?
    private var isInTurn = false
    private var turnIsScheduled = false
    private var toldInputIsOver = false
    var readIsPending = false
    var isClosingDown = false
    /// Whose wish the close is.
    var closingIs = Ending.closed
    /// All that we said has left; the peer is only heard out.
    var hasWrittenLast = false
    var alarm: NIOScheduledCallback?
    var alarmTime: NIODeadline?

    init(
        driver: Driver, arrival: Arrival, home: LoopHome, serverTLS: ServerTLS?, ledger: Ledger?,
        onEnd: (() -> Void)? = nil
    ) {
        self.driver = driver
        self.ledger = ledger
        self.onEnd = onEnd
        super.init(arrival: arrival, home: home, serverTLS: serverTLS)
    }

    // MARK: the turn

    /// A machine that always has more to say gives way to the other connections after this many steps.
    private static var stepsPerTurn: Int { 64 }
    private static var gatheredBeforeWrite: Int { 32 * 1024 }

    override func turn() {
        guard !isInTurn else { return }
        run()
        settle()
    }

    /// Pulls actions while there are any and the peer keeps up.
    func run() {
        guard !isInTurn else { return }
        isInTurn = true
        defer { isInTurn = false }
        var steps = 0
        while stage == .open, let context {
            if outgoing.readableBytes >= Self.gatheredBeforeWrite { flush() }
            guard context.channel.isWritable else { return }
            guard steps < Self.stepsPerTurn else { return continueLater(context) }
            steps += 1
            if !driver.step(self), !feed() { return }
        }
    }

    /// Gives the machine what waits for it; false when there is nothing or it wants none.
    private func feed() -> Bool {
        guard stage == .open, driver.wantsInput else { return false }
        if held.readableBytes > 0 {
            let bytes = Array(held.readableBytesView)
            held = ByteBuffer()
            driver.received(bytes[...])
            return true
        }
        guard inputIsOver else { return false }
        if toldInputIsOver {
            closingIs = .peerClosed
            close()
            return false
        }
        toldInputIsOver = true
        driver.inputEnded()
        return true
    }

    private func continueLater(_ context: ChannelHandlerContext) {
        guard !turnIsScheduled else { return }
        turnIsScheduled = true
        context.eventLoop.assumeIsolated().execute {
            self.turnIsScheduled = false
            self.turn()
        }
    }

    /// Leaves the channel as the machine wants it: written, reading or not, the alarm set.
    func settle() {
        if stage == .closing { return closeDown() }
        flush()
        resumeReading()
        setAlarm()
    }

    // MARK: events for the driver

    override func take(_ answer: Driver.Answer) {
        guard stage == .open || stage == .handshaking else { return }
        driver.answered(answer)
        turn()
    }

    func open() {
        stage = .open
        clock.touch()
        driver.opened(self)
        turn()
    }

    func deliver(_ bytes: ByteBuffer) {
        guard held.readableBytes == 0, driver.wantsInput else {
            var bytes = bytes
            held.writeBuffer(&bytes)
            if held.readableBytes > Self.mostHeld { cut(.stalled) }
            return
        }
        driver.received(Array(bytes.readableBytesView)[...])
    }

    /// NIO reads on when the peer has closed, whatever we want; that is at most what the kernel holds of one socket.
    private static var mostHeld: Int { 8 * 1024 * 1024 }

    override func finish(_ ending: Ending) {
        guard stage != .ended else { return }
        stage = .ended
        isGone.store(true, ordering: .relaxed)
        alarm?.cancel()
        alarm = nil
        held = ByteBuffer()
        outgoing = ByteBuffer()
        partner?.partnerEnded()
        partner = nil
        ledger?.value[ObjectIdentifier(self)] = nil
        driver.ended(ending)
        onEnd?()
    }
}

extension SessionPump: Drainable {
    func shutdownRequested() {
        switch stage {
        case .open, .surrendering:
            driver.shutdownRequested()
            turn()
        case .connecting, .handshaking: cut(.drained)
        case .closing, .relaying, .ended: break
        }
    }
}
