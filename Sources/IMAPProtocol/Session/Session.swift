// The session after login: a pull machine. Invariant: one command runs at a time, one question is open at a time,
// and what is held is bounded: one command, one chunk of a message, one chunk of output, and the selected mailbox.

internal import MailModel

/// Login to logout (RFC 3501 §3.2 to §3.4). Call `next` until nil after each event.
package struct Session: Sendable {
    static let outputChunk = 32 * 1024

    let settings: Settings
    var framer = CommandFramer(limits: .afterLogin)
    var output = ResponsePrinter()
    var selected: SelectedMailbox?
    var running: Running?
    /// Places that a SEARCH has found; the store's answers come in later, so they are sorted at the end.
    var found: [Int] = []
    /// To be asked; the output may wait until it is answered.
    var question: Question?
    var isAsking = false
    /// The store has said that something changed in the selected mailbox.
    var needsRefresh = false
    var wantsPause = false
    var wantsShutdown = false
    var errors = 0
    private enum Ending { case open, closing, closed }
    private var ending = Ending.open

    package init(settings: Settings, handOver: HandOver) {
        self.settings = settings
        framer.append(handOver.unread)
        output.raw(handOver.completion)
    }

    package var wantsInput: Bool { ending == .open && framer.unread < 2 * CommandFramer.Limits.afterLogin.line }

    package var isIdling: Bool { if case .idle = running { true } else { false } }

    /// Whether a mailbox is selected, so that changes to it should be reported by `mailboxChanged`.
    package var selectedMailbox: MailboxName? { selected?.name }

    package var wait: Wait {
        if isAsking { return .answer }
        switch running {
        case .idle: return .idle
        case .append: return .rest
        case nil, .completing, .simple, .select, .list, .status, .fetch, .store, .search, .copy, .expunge, .close:
            return framer.isInsideCommand ? .rest : .command
        }
    }
}

// What happens to a session.
extension Session {
    package mutating func received(_ bytes: some Collection<UInt8>) {
        if ending == .open { framer.append(bytes) }
    }

    /// The selected mailbox may have changed; what changed is asked when the client may be told.
    package mutating func mailboxChanged() {
        if selected != nil { needsRefresh = true }
    }

    /// Says something harmless, so that middle boxes keep an idle connection.
    package mutating func keepAlive() {
        if isIdling { output.raw("* OK Still here\r\n") }
    }

    package mutating func deadlinePassed() { bye("* BYE Too slow\r\n") }

    /// The running command is finished first: its answer cannot be interrupted.
    package mutating func shutdownRequested() { wantsShutdown = true }

    package mutating func answered(_ answer: Answer) {
        guard isAsking else { return }
        isAsking = false
        take(answer)
    }

    package mutating func next() -> Action? {
        while ending == .open, !isAsking, output.bytes.count < Session.outputChunk {
            if let question {
                self.question = nil
                isAsking = true
                return .ask(question)
            }
            guard step() else { break }
            if wantsPause {
                wantsPause = false
                return .pause
            }
        }
        if !output.isEmpty, !isAsking || output.bytes.count >= Session.outputChunk { return .send(output.take()) }
        guard ending == .closing else { return nil }
        ending = .closed
        return .close
    }
}

// How a session speaks.
extension Session {
    mutating func ask(_ question: Question) { self.question = question }

    /// Ends the dialogue at once.
    mutating func bye(_ text: StaticString) {
        guard ending == .open else { return }
        // Inside a response nothing can be said that would not be taken for its content.
        if case .fetch(let run) = running, run.isInsideResponse { return close() }
        output.raw(text)
        close()
    }

    mutating func close() {
        guard ending == .open else { return }
        ending = .closing
        isAsking = false
        question = nil
        running = nil
    }

    mutating func reply(_ tag: Tag?, _ text: some Sequence<UInt8>) {
        output.raw(tag?.bytes ?? [UInt8(ascii: "*")])
        output.raw(" ")
        output.raw(text)
        output.endLine()
    }

    mutating func reply(_ tag: Tag?, _ text: StaticString) { reply(tag, text.withUTF8Buffer(Array.init)) }
}
