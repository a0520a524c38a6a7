// The client's side of SMTP and LMTP without a socket: brings messages to one server and says how each recipient fared.
// Whatever the server does, every recipient of every message gets exactly one result.

internal import MailModel
internal import SASLProtocol

/// One connection to a server, for one message or several in turn.
///
/// The pump calls an event, then `next()` until it is nil.
package struct ClientSession: Sendable {
    package let configuration: ClientConfiguration
    package internal(set) var isTLS: Bool
    /// Which reply is awaited; its `patience` is the deadline to set.
    package internal(set) var stage = ClientStage.greeting

    var replies = ReplyParser()
    var offer = ServerOffer()
    var usedHelo = false
    var isAuthenticated = false
    var exchange: ClientExchange?
    var transaction: ClientTransaction?
    /// A transaction may be open at the server: the next message begins with RSET.
    var needsReset = false
    /// The server spoke before the end of a content was out: what it says may be out of step from then on.
    package internal(set) var hadEarlyReply = false
    /// Octets still unread of what the server had said before the content's end was out.
    var earlyOctets = 0

    private var actions: [ClientAction] = []
    private var taken = 0

    /// `isTLS`: the handshake came before the greeting (RFC 8314).
    package init(configuration: ClientConfiguration, isTLS: Bool = false, message: OutgoingMessage) {
        self.configuration = configuration
        self.isTLS = isTLS
        transaction = ClientTransaction(message)
    }

    /// What to do next; nil until another event.
    package mutating func next() -> ClientAction? {
        guard taken < actions.count else {
            actions.removeAll(keepingCapacity: true)
            taken = 0
            return nil
        }
        defer { taken += 1 }
        return actions[taken]
    }

    /// How the content goes out, while `.sendContent` is being done.
    package var contentForm: ContentForm { transaction?.form ?? .stuffed }

    /// What the server said that it takes at most; known once it has answered EHLO, and kept by whoever gives it messages.
    package var peerLimits: PeerLimits { offer.limits }

    /// Whether another message may be given to `deliver(_:)`.
    package var canDeliver: Bool { stage == .idle }

    mutating func act(_ action: ClientAction) { actions.append(action) }

    /// Sends commands that await replies in `stage`. A server that has spoken unasked is out of step: what it
    /// said could be taken as the answer to what we say now (CVE-2021-38371), so the connection is given up.
    mutating func send(_ bytes: [UInt8], awaiting stage: ClientStage) {
        guard replies.isEmpty else { return abandon("server replied out of turn") }
        self.stage = stage
        act(.send(bytes))
    }

    // MARK: - Ends

    /// Every recipient without a result gets this one; the connection stays.
    mutating func finish() {
        guard let done = transaction else { return }
        transaction = nil
        if stage != .closed { stage = .idle }
        act(.finished(done.results(at: stage)))
    }

    /// The host will not have this message now: report, then leave politely.
    mutating func giveUp(_ outcome: DeliveryOutcome, reply: [UInt8] = []) {
        transaction?.settleAll(outcome, stage, reply)
        finish()
        quit()
    }

    /// The connection is of no use: report, close.
    mutating func abandon(_ reason: String, status: EnhancedStatus = .temporary(4, 2)) {
        guard stage != .closed else { return }
        transaction?.settleAll(.temporary(status, reason: Array(reason.utf8)), stage, [])
        stage = .closed
        finish()
        replies.removeAll()
        act(.close)
    }

    /// Ends the connection after the last message.
    package mutating func quit() {
        guard stage == .idle else { return }
        send(Command.quit.wire, awaiting: .quit)
    }
}
