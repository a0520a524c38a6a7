// The MTA's side of a milter connection without a socket: events in, actions out, one decision for each question.
// Everything that a new message, a lost connection or a new client must forget is forgotten in `forget(_:)` and nowhere else.

/// One milter beside one SMTP connection, for all its messages.
///
/// The pump calls an event, then `next()` until it is nil. Time is any clock that never goes back. A milter that went away
/// between messages is connected to again at the next MAIL and told anew who the client is.
package struct MilterSession: Sendable {
    package let configuration: MilterConfiguration
    /// When to call `deadlinePassed(at:)`; nil while nothing is awaited.
    package internal(set) var deadline: Duration?
    /// Why the milter was last given up; for the log.
    package internal(set) var lastFault: MilterFault?

    var link = Link.closed
    var framer: PacketFramer
    /// What is told again on a new connection.
    var client: Introduction<MilterClient>?
    var hello: Introduction<[UInt8]>?
    /// The milter on this connection has been told of the client, of its HELO.
    var isClientShown = false
    var isHelloShown = false
    /// It has been told of a message that has not ended for it.
    var isMessageShown = false
    var transaction = Transaction.none
    var skipsRecipients = false
    var inquiry: Inquiry?
    /// The step whose reply is awaited; at most one.
    var awaited: MilterStep?
    var stepDeadline: Duration?

    private var actions: [MilterAction] = []
    private var taken = 0
    private var held: [UInt8] = []

    enum Link: Sendable, Equatable {
        case closed
        case opening
        case negotiating
        case open(MilterOptions)
        /// The milter has had its last word about this SMTP connection.
        case finished(MilterDecision)
    }

    enum Transaction: Sendable, Equatable {
        case none
        case open
        /// The milter needs to see no more of this message.
        case settled(MilterDecision)
    }

    struct Introduction<Value: Sendable>: Sendable {
        let value: Value
        let macros: [MilterMacro]
    }

    /// The open question and how far it has been put.
    struct Inquiry: Sendable {
        enum Part: Sendable { case headers, endOfHeaders, body, endOfMessage, over }

        let question: MilterQuestion
        let macros: [MilterMacro]
        /// The latest moment for the decision.
        let end: Duration
        var isPut = false
        var part = Part.headers
        var nextField = 0
        var bodyOffset = 0
        /// What was asked of the pump.
        var wanted: Range<Int>?
        var modifications: [MilterModification] = []
        var modificationCount = 0
        var modificationOctets = 0
        var bodyOctets = 0
    }

    package init(configuration: MilterConfiguration) {
        self.configuration = configuration
        framer = PacketFramer(limit: configuration.limits.packet)
    }

    /// What to do next; nil until another event.
    package mutating func next() -> MilterAction? {
        guard taken < actions.count else {
            actions.removeAll(keepingCapacity: true)
            taken = 0
            return nil
        }
        defer { taken += 1 }
        return actions[taken]
    }

    /// A question is open: its decision is to come.
    package var isBusy: Bool { inquiry != nil }

    // MARK: - Actions

    mutating func act(_ action: MilterAction) {
        flush()
        actions.append(action)
    }

    /// Commands gather, so that those without a reply do not go out one by one.
    mutating func send(_ command: MilterCommand) {
        command.append(to: &held)
        if held.count > 65536 { flush() }
    }

    mutating func flush() {
        guard !held.isEmpty else { return }
        actions.append(.send(held))
        held = []
    }

    mutating func decide(_ decision: MilterDecision) {
        guard inquiry != nil else { return }
        inquiry = nil
        awaited = nil
        stepDeadline = nil
        act(.decided(decision))
    }

    // MARK: - Ends

    /// The milter cannot be relied on. The one place where the failure policy speaks.
    mutating func fail(_ fault: MilterFault) {
        lastFault = fault
        hangUp()
        let passes = configuration.failurePolicy == .pass && fault != .bodyUnavailable
        let decision: MilterDecision = passes ? .proceed([]) : .refuse(.failed)
        if transaction != .none { transaction = .settled(decision) }
        decide(decision)
    }

    /// The milter's last word about the SMTP connection.
    mutating func conclude(_ decision: MilterDecision) {
        abortMessage()
        send(.quit)
        hangUp()
        link = .finished(decision)
        if transaction != .none { transaction = .settled(decision) }
        decide(decision)
    }

    /// The milter's last word about the message, before or at its end.
    mutating func settle(_ decision: MilterDecision, at step: MilterStep) {
        if step == .endOfMessage {
            forget(.transaction)
        } else {
            abortMessage()
            transaction = .settled(decision)
        }
        decide(decision)
    }

    /// Tells the milter that the message which it knows of ends without it.
    mutating func abortMessage() {
        if isMessageShown, isOpen { send(.abort) }
        isMessageShown = false
    }

    mutating func hangUp() {
        switch link {
        case .closed, .finished: break
        case .opening, .negotiating, .open: act(.close)
        }
        forget(.link)
    }

    // MARK: - Forgetting

    enum Scope { case transaction, link, client }

    /// The one place where state ends: with a message, with the milter's connection, with the SMTP client.
    mutating func forget(_ scope: Scope) {
        switch scope {
        case .transaction:
            transaction = .none
            isMessageShown = false
            skipsRecipients = false
        case .link:
            link = .closed
            framer = PacketFramer(limit: configuration.limits.packet)
            (isClientShown, isHelloShown, isMessageShown) = (false, false, false)
            awaited = nil
            stepDeadline = nil
        case .client:
            forget(.transaction)
            client = nil
            hello = nil
            (isClientShown, isHelloShown) = (false, false)
            inquiry = nil
        }
    }
}
