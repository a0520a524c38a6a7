// The content filters beside one SMTP session: their connections, the questions put to them, and what comes of each.
// Lives on the session's loop. Invariant: each question of the session that begins here gets one outcome.

import Connection
import Kernel
import MailModel
import MilterProtocol
import SMTPProtocol
import SpoolFormat

/// What the session is to do with the filters' decision.
enum FilterOutcome {
    case answer(ServerAnswer)
    /// As `answer`; then the connection ends (421).
    case lastAnswer(ServerAnswer)
    case accept(Acceptance)
}

/// A session's filters; made at its first MAIL, where there are any.
final class Filter {
    let settings: FilterSettings
    let shared: SharedParts
    let address: ReplyAddress<SessionAnswer>
    let arrival: Arrival
    /// The client, as we know it: another than the connection's after XCLIENT.
    let peer: SocketName
    private var chain: MilterChain
    private var links: [Link]
    private let begun = MonotonicTime.now()
    private var alarm: Duration?
    private var isQuitting = false

    var pending: Pending?
    var introduced: Introduction?
    var isInTransaction = false
    /// The header of the message at hand.
    var header = HeaderCapture()
    private var outcome: FilterOutcome?
    /// Counts messages, so that a late piece of one is not taken for one of the next.
    private var message = 0
    private var wanted: Range<Int>?
    /// Counts what is read of bodies, so that a late piece is not taken for the next one.
    private var read = 0

    private struct Link {
        var life = 0
        var address: ReplyAddress<FilterOrder>?
        /// Orders that have not left yet.
        var unsent = 0
    }

    /// A question of the session, and what is still to be asked before it is answered.
    struct Pending {
        /// If no filter is against it.
        let answer: ServerAnswer
        var steps: ArraySlice<Step>
        /// For events.
        let about: RecordLine
        var acceptance: Acceptance?
    }

    enum Step {
        case ask(MilterQuestion, [MilterMacro])
        case message([MilterMacro])
    }

    /// What the filters were told of the client.
    struct Introduction: Equatable {
        let hello: [UInt8]
        let isTLS: Bool
    }

    init(_ settings: FilterSettings, _ shared: SharedParts, _ wire: Wire<SessionAnswer>, peer: SocketName, after seats: Int) {
        self.settings = settings
        self.shared = shared
        address = wire.replyAddress
        arrival = wire.arrival
        self.peer = peer
        chain = MilterChain(settings.sockets.map { _ in settings.configuration })
        // What is still under way to a filter of the client before is no word for this one.
        read = seats << 32
        links = settings.sockets.map { _ in Link(life: seats << 32) }
    }

    private var now: Duration { MonotonicTime.now() - begun }

    func takeOutcome() -> FilterOutcome? {
        defer { outcome = nil }
        return outcome
    }

    /// An answer that needs no filter.
    func answer(_ answer: ServerAnswer) { outcome = .answer(answer) }

    // MARK: - Events

    func begin(_ question: Pending) {
        pending = question
        proceed()
        drive()
    }

    func take(_ event: FilterEvent) {
        switch event {
        case .opened(let number, let life, let address):
            guard links[number].life == life else { return address.deliver(.close) }
            links[number].address = address
            chain.opened(number, at: now)
        case .received(let number, let life, let bytes):
            guard links[number].life == life else { return }
            chain.received(bytes, from: number, at: now)
        case .sent(let number, let life, let count):
            guard links[number].life == life else { return }
            links[number].unsent -= count
            readBody()
        case .lost(let number, let life):
            guard links[number].life == life else { return }
            links[number] = Link(life: life + 1)
            chain.connectionLost(number, at: now)
        case .alarm:
            alarm = nil
            chain.deadlinePassed(at: now)
        case .body(let number, let bytes):
            guard number == read, wanted != nil else { return }
            wanted = nil
            chain.bodyRead(bytes[...], at: now)
        }
        drive()
    }

    /// RSET, EHLO, or the message's end: the filters forget what they know of it.
    func transactionEnded() {
        guard isInTransaction, pending == nil else { return }
        isInTransaction = false
        header = HeaderCapture()
        chain.abort()
        drive()
    }

    /// The session is over; a message that is still being judged is nobody's.
    func end() {
        isQuitting = true
        pending?.acceptance?.content.discard()
        pending = nil
        chain.quit()
        drive()
    }

    // MARK: - The chain's wishes

    private func drive() {
        while let action = chain.next() {
            switch action {
            case .open(let number): open(number)
            case .send(let number, let bytes):
                links[number].unsent += 1
                links[number].address?.deliver(.send(bytes))
            case .wantsBody(let range):
                wanted = range
                read += 1
                readBody()
            case .decided(let decision, let number): decided(decision, by: number)
            case .close(let number): close(number)
            }
        }
        setAlarm()
    }

    private func open(_ number: Int) {
        links[number] = Link(life: links[number].life + 1)
        let (life, owner) = (links[number].life, address)
        settings.dialer.dial(settings.sockets[number], as: "milter", timeout: settings.configuration.patience.opening) {
            FilterLink(number, life: life, owner: owner)
        }
    }

    private func close(_ number: Int) {
        links[number].address?.deliver(.close)
        links[number] = Link(life: links[number].life + 1)
        guard !isQuitting, let fault = chain.sessions[number].lastFault else { return }
        let policy = settings.configuration.failurePolicy == .pass && fault != .bodyUnavailable ? "passes unseen by it" : "is put off"
        let sentence = "content filter \(settings.names[number]) \(fault.sentence); mail \(policy) (filter.failure)"
        if settings.complaints.isDue(sentence, at: .now()) { shared.intake.note(RecordLine(.problem).adding(.reason, sentence)) }
    }

    /// One alarm at a time, and none that keeps a session which has ended for long.
    private func setAlarm() {
        guard let deadline = chain.deadline, !isQuitting else { return }
        let now = now
        let due = min(deadline, now + .seconds(20))
        if let alarm, alarm <= due { return }
        alarm = due
        address.deliver(.filter(.alarm), after: max(due - now, .milliseconds(1)))
    }

    /// The next piece, once what went before it has left: a message never waits whole in memory for a filter that is slow.
    private func readBody() {
        guard let range = wanted, let content = pending?.acceptance?.content, links.allSatisfy({ $0.unsent <= 0 }) else { return }
        switch content {
        case .inline(let bytes):
            wanted = nil
            let body = bytes.dropFirst(header.bytes.count)
            let start = body.startIndex + range.lowerBound
            chain.bodyRead(body[(start..<start + range.count).clamped(to: body.indices)], at: now)
        case .big(let file):
            let start = file.start + header.bytes.count
            let (read, address) = (read, address)
            shared.workers.submit {
                let bytes = file.read(range.count, at: start + range.lowerBound)
                address.deliver(.filter(.body(read: read, bytes)))
            }
        }
    }

    // MARK: - From question to answer

    /// Puts the next question, or gives the session its answer.
    private func proceed() {
        guard let step = pending?.steps.popFirst() else {
            if let answer = pending?.answer { finish(.answer(answer)) }
            return
        }
        switch step {
        case .ask(let question, let macros): chain.asked(question, macros: macros, at: now)
        case .message(let macros):
            guard let acceptance = pending?.acceptance else { return }
            message += 1
            wanted = nil
            chain.messageReceived(
                header: header.bytes, bodySize: acceptance.octets - header.bytes.count, sender: acceptance.envelope.sender,
                recipients: acceptance.envelope.recipients, macros: macros, at: now)
        }
    }

    private func decided(_ decision: ChainDecision, by number: Int?) {
        guard let pending else { return }
        switch decision {
        case .proceed: proceed()
        case .message(let edits):
            guard let acceptance = pending.acceptance else { return }
            finish(conclude(acceptance, edits, by: number))
        case .discard:
            // Before the message is there nobody is told; it goes when it comes.
            guard let acceptance = pending.acceptance else { return finish(.answer(pending.answer)) }
            finish(discard(acceptance, name(number) + ": discard"))
        case .refuse(let refusal): refuse(refusal, by: number)
        }
    }

    func name(_ number: Int?) -> String { "content filter" + (number.map { " " + settings.names[$0] } ?? "") }

    private func refuse(_ refusal: MilterRefusal, by number: Int?) {
        guard let pending else { return }
        guard let answer = pending.answer.refused(Reply(refusal)) else { return finish(.answer(pending.answer)) }
        let text = Array("\(name(number)): \(refusal.code) ".utf8) + (refusal.status.map { Array("\($0) ".utf8) } ?? []) + (refusal.lines.first ?? [])
        shared.intake.note(pending.about.adding(.reason, text))
        pending.acceptance?.content.discard()
        finish(refusal.closesConnection ? .lastAnswer(answer) : .answer(answer))
    }

    /// nil: a worker has the message, and the answer comes from the log.
    private func finish(_ outcome: FilterOutcome?) {
        pending = nil
        wanted = nil
        self.outcome = outcome
    }
}

extension ServerAnswer {
    /// The same answer as a refusal; nil where none may be given, or it is one already.
    fileprivate func refused(_ reply: Reply) -> ServerAnswer? {
        let isTemporary = reply.replyClass == .temporary
        switch self {
        case .sender: return .sender(isTemporary ? .temporary(reply) : .refused(reply))
        case .recipient(.local), .recipient(.remote): return .recipient(.refused(reply))
        case .message: return .message(isTemporary ? .temporary(reply) : .refused(reply))
        // RFC 5321 §4.5.1: the postmaster takes mail; what is wrong with the message is said at its end.
        case .recipient, .postmaster, .authentication: return nil
        }
    }
}

extension Reply {
    init(_ refusal: MilterRefusal) { self.init(refusal.code, refusal.status, lines: refusal.lines) }
}

extension MilterFault {
    fileprivate var sentence: String {
        switch self {
        case .notReached: "is not reached"
        case .connectionLost: "closed its connection within a message"
        case .tooSlow: "took too long"
        case .badLength: "sent a packet of impossible length"
        case .badReply(let letter): "sent a malformed reply (\(letter))"
        case .unexpectedReply(let letter): "sent a reply out of place (\(letter))"
        case .notNegotiated(let letter): "asked for what was not agreed (\(letter))"
        case .tooManyModifications: "asked for too many changes"
        case .badOptions: "does not agree to the protocol's options"
        case .bodyUnavailable: "could not be shown the message, which cannot be read back"
        }
    }
}
