// One connection to one filter, beside one SMTP session: bytes to and fro. What they mean is decided at the session.

import Connection

/// What a session hears of its filters and of the work done for them; `life` tells one connection to a filter from the next.
enum FilterEvent: Sendable {
    case opened(Int, life: Int, ReplyAddress<FilterOrder>)
    case received(Int, life: Int, [UInt8])
    /// So many orders have left, or wait in the kernel.
    case sent(Int, life: Int, count: Int)
    case lost(Int, life: Int)
    case alarm
    /// A piece of the message, read back; empty if it cannot be.
    case body(read: Int, [UInt8])
}

/// What a session tells a link.
enum FilterOrder: Sendable {
    case send([UInt8])
    /// Send what was given, then end.
    case close
}

/// Drives the connection; on the loop of its session, which it meets by reply addresses alone.
final class FilterLink: SessionDriver {
    private let number: Int
    private let life: Int
    private let owner: ReplyAddress<SessionAnswer>
    private var waiting: [[UInt8]] = []
    private var mustClose = false

    /// How often a link looks whether its session is still there.
    private static let watch = Duration.seconds(30)

    init(_ number: Int, life: Int, owner: ReplyAddress<SessionAnswer>) {
        self.number = number
        self.life = life
        self.owner = owner
    }

    var wantsInput: Bool { true }

    func opened(_ wire: Wire<FilterOrder>) {
        wire.limitSilence(to: FilterLink.watch)
        if owner.isGone { mustClose = true }
        tell(.opened(number, life: life, wire.replyAddress))
    }

    func received(_ bytes: ArraySlice<UInt8>) { tell(.received(number, life: life, Array(bytes))) }

    func answered(_ order: FilterOrder) {
        switch order {
        case .send(let bytes): waiting.append(bytes)
        case .close: mustClose = true
        }
    }

    func step(_ wire: Wire<FilterOrder>) -> Bool {
        guard !waiting.isEmpty else {
            if mustClose { wire.close() }
            return false
        }
        wire.send(waiting.removeFirst())
        tell(.sent(number, life: life, count: 1))
        return true
    }

    /// A filter may be silent for as long as the session lets it: only a session that ended unheard is cleared up here.
    func deadlinePassed() {
        if owner.isGone { mustClose = true }
    }

    func shutdownRequested() {}
    func ended(_ ending: Ending) { tell(.lost(number, life: life)) }

    private func tell(_ event: FilterEvent) { owner.deliver(.filter(event)) }
}
