// Several milters beside one SMTP connection, asked in order. The first definite verdict wins; each milter sees the message
// as the one before it left it.

package import MailModel

/// What comes of a question to all milters.
package enum ChainDecision: Sendable {
    case proceed
    /// The message may go on, as it stands in the edits.
    case message(MessageEdits)
    case discard
    case refuse(MilterRefusal)
}

/// What the pump is to do, in order; the number is that of the milter.
package enum ChainAction: Sendable {
    case open(Int)
    case send(Int, [UInt8])
    /// Give these octets of the received body to `bodyRead(_:at:)`.
    case wantsBody(Range<Int>)
    /// The answer to the open question, and the milter that spoke against it.
    case decided(ChainDecision, by: Int?)
    case close(Int)
}

/// A row of milter sessions that answers as one.
package struct MilterChain: Sendable {
    package private(set) var sessions: [MilterSession]
    /// The milter that is being asked.
    private var current: Int?
    private var pending: Pending?
    private var edits: MessageEdits?
    private var receivedBodySize = 0
    /// A milter wants the message thrown away: the others need not see more of it, up to the next MAIL.
    private var discarder: Int?

    private var actions: [ChainAction] = []
    private var taken = 0

    private struct Pending: Sendable {
        let question: MilterQuestion
        let macros: [MilterMacro]
    }

    package init(_ configurations: [MilterConfiguration]) {
        sessions = configurations.map { MilterSession(configuration: $0) }
    }

    package mutating func next() -> ChainAction? {
        guard taken < actions.count else {
            actions.removeAll(keepingCapacity: true)
            taken = 0
            return nil
        }
        defer { taken += 1 }
        return actions[taken]
    }

    /// When to call `deadlinePassed(at:)`.
    package var deadline: Duration? { sessions.compactMap(\.deadline).min() }
    package var isBusy: Bool { pending != nil }

    // MARK: - Events from smtpd

    /// A question of the dialogue, never `.message`: that is asked by `messageReceived`.
    package mutating func asked(_ question: MilterQuestion, macros: [MilterMacro] = [], at now: Duration) {
        if pending != nil { abort() }
        switch question {
        case .connect, .helo, .mail: discarder = nil
        case .recipient, .data, .unknown, .message: break
        }
        begin(question, macros, at: now)
    }

    /// The whole message stands; `header` with its empty line. The decision is a `.message`, unless a milter is against it.
    package mutating func messageReceived(
        header: [UInt8], bodySize: Int, sender: ReversePath, recipients: [EmailAddress], macros: [MilterMacro] = [], at now: Duration
    ) {
        if pending != nil { abort() }
        let edits = MessageEdits(header: header, sender: sender, recipients: recipients)
        self.edits = edits
        receivedBodySize = bodySize
        begin(.message(edits.fields, bodySize: bodySize), macros, at: now)
    }

    /// The message ends without a verdict.
    package mutating func abort() {
        forgetQuestion()
        discarder = nil
        for index in sessions.indices {
            sessions[index].abort()
            pump(index, at: .zero)
        }
    }

    /// The SMTP connection is over.
    package mutating func quit() {
        forgetQuestion()
        discarder = nil
        for index in sessions.indices {
            sessions[index].quit()
            pump(index, at: .zero)
        }
    }

    // MARK: - Events from the milters' connections and the clock

    package mutating func opened(_ index: Int, at now: Duration) {
        guard sessions.indices.contains(index) else { return }
        sessions[index].opened(at: now)
        pump(index, at: now)
    }

    package mutating func received(_ bytes: some Collection<UInt8>, from index: Int, at now: Duration) {
        guard sessions.indices.contains(index) else { return }
        sessions[index].received(bytes, at: now)
        pump(index, at: now)
    }

    package mutating func connectionLost(_ index: Int, at now: Duration) {
        guard sessions.indices.contains(index) else { return }
        sessions[index].connectionLost()
        pump(index, at: now)
    }

    package mutating func deadlinePassed(at now: Duration) {
        for index in sessions.indices {
            sessions[index].deadlinePassed(at: now)
            pump(index, at: now)
        }
    }

    package mutating func bodyRead(_ bytes: ArraySlice<UInt8>, at now: Duration) {
        guard let current else { return }
        sessions[current].bodyRead(bytes, at: now)
        pump(current, at: now)
    }

    // MARK: - From one milter to the next

    private mutating func begin(_ question: MilterQuestion, _ macros: [MilterMacro], at now: Duration) {
        pending = Pending(question: question, macros: macros)
        if let discarder, question.isOfTransaction { return conclude(.discard, by: discarder) }
        guard let first = ask(0, at: now) else { return }
        pump(first, at: now)
    }

    /// Asks a milter, or concludes when there is none left.
    private mutating func ask(_ index: Int, at now: Duration) -> Int? {
        guard let pending else { return nil }
        guard index < sessions.count else {
            conclude(edits.map { .message($0) } ?? .proceed, by: nil)
            return nil
        }
        current = index
        var question = pending.question
        if case .message = question, let edits {
            question = .message(edits.fields, bodySize: edits.replacedBody?.count ?? receivedBodySize)
        }
        sessions[index].asked(question, macros: pending.macros, at: now)
        return index
    }

    /// Hands out what a session wants done, and goes on to the next when it has decided.
    private mutating func pump(_ start: Int, at now: Duration) {
        var index: Int? = start
        while let at = index {
            index = nil
            while let action = sessions[at].next() {
                switch action {
                case .open: actions.append(.open(at))
                case .send(let bytes): actions.append(.send(at, bytes))
                case .close: actions.append(.close(at))
                case .wantsBody(let range): wantsBody(range, at, at: now)
                case .decided(let decision): index = decided(decision, by: at, at: now) ?? index
                }
            }
        }
    }

    /// A body that a milter replaced is here; the received one is the pump's.
    private mutating func wantsBody(_ range: Range<Int>, _ index: Int, at now: Duration) {
        guard let body = edits?.replacedBody else { return actions.append(.wantsBody(range)) }
        sessions[index].bodyRead(body[range.clamped(to: body.indices)], at: now)
    }

    private mutating func decided(_ decision: MilterDecision, by index: Int, at now: Duration) -> Int? {
        guard pending != nil, current == index else { return nil }
        switch decision {
        case .proceed(let modifications):
            if !modifications.isEmpty { edits?.apply(modifications) }
            return ask(index + 1, at: now)
        case .discard:
            discarder = index
            conclude(.discard, by: index)
        case .refuse(let refusal): conclude(.refuse(refusal), by: index)
        }
        return nil
    }

    private mutating func conclude(_ decision: ChainDecision, by index: Int?) {
        guard let question = pending?.question else { return }
        forgetQuestion()
        if let index, question.endsTransactionIfRefused {
            for other in sessions.indices where other != index {
                sessions[other].abort()
                while let action = sessions[other].next() {
                    if case .send(let bytes) = action { actions.append(.send(other, bytes)) }
                    if case .close = action { actions.append(.close(other)) }
                }
            }
        }
        actions.append(.decided(decision, by: index))
    }

    private mutating func forgetQuestion() {
        pending = nil
        current = nil
        edits = nil
    }
}

extension MilterQuestion {
    /// It is about a message that MAIL began.
    fileprivate var isOfTransaction: Bool {
        switch self {
        case .recipient, .data, .message: true
        case .connect, .helo, .mail, .unknown: false
        }
    }

    /// Where one milter is against it, the others need not wait for more of the message.
    fileprivate var endsTransactionIfRefused: Bool {
        switch self {
        case .mail, .data, .message: true
        case .connect, .helo, .recipient, .unknown: false
        }
    }
}
