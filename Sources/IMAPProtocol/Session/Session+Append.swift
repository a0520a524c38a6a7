// APPEND (RFC 3501 §6.3.11): the store is asked before the message is let in, and gets it in pieces.

/// An APPEND in progress.
struct AppendRun: Sendable {
    enum Stage: Sendable {
        /// May it come?
        case asking(CommandFramer.Literal)
        /// Pieces go to the store as they come.
        case receiving
        /// The message is there; the command's line end is not yet.
        case ending
        case finishing
        /// The store has been told to forget it; `text` is the reply.
        case abandoning(text: StaticString)
    }

    static let chunk = 64 * 1024

    let tag: Tag
    let mailbox: MailboxName
    var stage: Stage
}

extension Session {
    mutating func beginAppend(_ tag: Tag, _ command: AppendCommand, _ literal: CommandFramer.Literal) {
        errors = 0
        guard literal.size <= settings.maximumMessageSize else {
            return refuseLiteral(literal) { $0.refuse(tag, .refused(.tooBig)) }
        }
        guard literal.size > 0 else {
            return refuseLiteral(literal) { $0.reply(tag, "NO [CANNOT] An empty message cannot be stored") }
        }
        running = .append(AppendRun(tag: tag, mailbox: command.mailbox, stage: .asking(literal)))
        ask(.beginAppend(command, size: literal.size))
    }

    mutating func stepAppend(_ run: AppendRun) -> Bool {
        switch run.stage {
        case .receiving: return receiveMessage(run)
        case .ending: return endAppend(run)
        case .asking, .finishing, .abandoning: return false
        }
    }

    private mutating func receiveMessage(_ run: AppendRun) -> Bool {
        guard let chunk = framer.nextChunk(limit: AppendRun.chunk) else {
            continueAppend(run, .ending)
            return true
        }
        guard !chunk.isEmpty else { return false }
        if chunk.contains(0) {
            framer.skip()
            abandon(run, "BAD NUL is not allowed")
        } else {
            ask(.appendContent(chunk))
        }
        return true
    }

    /// Only a line end may follow the message.
    private mutating func endAppend(_ run: AppendRun) -> Bool {
        guard let event = framer.next() else { return false }
        switch event {
        case .command([]):
            continueAppend(run, .finishing)
            ask(.finishAppend)
        case .command, .bareLineFeed: abandon(run, "BAD Unexpected text after the message")
        case .literal:
            framer.skip()
            abandon(run, "BAD Unexpected text after the message")
        case .tooLong: bye("* BYE Line too long\r\n")
        }
        return true
    }

    private mutating func continueAppend(_ run: AppendRun, _ stage: AppendRun.Stage) {
        running = .append(AppendRun(tag: run.tag, mailbox: run.mailbox, stage: stage))
    }

    private mutating func abandon(_ run: AppendRun, _ text: StaticString) {
        continueAppend(run, .abandoning(text: text))
        ask(.abandonAppend)
    }

    mutating func takeAppend(_ answer: Answer, _ run: AppendRun) {
        switch (run.stage, answer) {
        case (.abandoning(let text), _): complete(run.tag, text)
        case (.asking(let literal), .done):
            if literal.isSynchronizing { output.raw("+ Ready for the message\r\n") }
            framer.stream()
            continueAppend(run, .receiving)
        case (.receiving, .done): break
        case (.finishing, .appended(let validity, let uid)): completeAppend(run, validity, uid)
        case (.asking(let literal), _): refuseLiteral(literal) { $0.refuse(run.tag, answer, isTarget: true) }
        case (.receiving, _):
            framer.skip()
            refuse(run.tag, answer, isTarget: true)
        case (.ending, _), (.finishing, _): refuse(run.tag, answer, isTarget: true)
        }
    }

    private mutating func completeAppend(_ run: AppendRun, _ validity: UIDValidity, _ uid: UID) {
        var text = ResponsePrinter()
        text.raw("OK [APPENDUID ")
        text.number(validity.value)
        text.raw(" ")
        text.number(uid.value)
        text.raw("] APPEND completed")
        complete(run.tag, text.bytes, refreshes: run.mailbox == selected?.name)
    }
}
