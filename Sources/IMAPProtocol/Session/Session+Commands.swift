// From the framer to the command: what may be said in which state, and the commands that need no store.

internal import MailModel

extension Session {
    /// Takes one command off the input; false if there is none.
    mutating func readCommand() -> Bool {
        guard let event = framer.next() else { return false }
        switch event {
        case .command(let text): take(Command.parse(text))
        case .bareLineFeed(let text): fail(Command.parse(text).tag, .syntax(.bareLineFeed))
        case .literal(let literal, let text): announce(literal, text)
        case .tooLong: bye("* BYE Line too long\r\n")
        }
        return true
    }

    private mutating func take(_ command: ParsedCommand<Command>) {
        switch command.result {
        case .failure(let failure): fail(command.tag, failure)
        case .success(let verb):
            guard let tag = command.tag else { return }
            errors = 0
            guard !verb.needsMailbox || selected != nil else { return reply(tag, "BAD No mailbox is selected") }
            perform(verb, tag)
        }
    }

    mutating func fail(_ tag: Tag?, _ failure: CommandFailure) {
        reply(tag, failure.reply)
        errors += 1
        if errors >= settings.maximumErrors { bye("* BYE Too many errors\r\n") }
    }

    private mutating func announce(_ literal: CommandFramer.Literal, _ text: [UInt8]) {
        switch AppendCommand.prefix(text) {
        case .message(let tag, let command): beginAppend(tag, command, literal)
        case .failure(let tag, let failure): refuseLiteral(literal) { $0.fail(tag, failure) }
        case .other:
            guard framer.keep() else {
                return refuseLiteral(literal) { $0.fail(Command.parse(text).tag, .tooComplex) }
            }
            if literal.isSynchronizing { output.raw("+ Ready\r\n") }
        }
    }

    /// RFC 7888 §4: content that comes without being awaited is read over, within reason.
    mutating func refuseLiteral(_ literal: CommandFramer.Literal, reply: (inout Session) -> Void) {
        guard literal.isSynchronizing || literal.size / 4 <= settings.maximumMessageSize else {
            return bye("* BYE [TOOBIG] Literal too large\r\n")
        }
        framer.skip()
        reply(&self)
    }

    private mutating func perform(_ command: Command, _ tag: Tag) {
        switch command {
        case .capability:
            reply(nil, Capabilities.afterLogin)
            complete(tag, "OK CAPABILITY completed")
        case .noop: complete(tag, "OK NOOP completed", refreshes: true)
        case .check: complete(tag, "OK CHECK completed", refreshes: true)
        case .logout:
            output.raw("* BYE Logging out\r\n")
            reply(tag, "OK LOGOUT completed")
            close()
        case .namespace:
            output.raw("* NAMESPACE ((\"\" \".\")) NIL NIL\r\n")
            complete(tag, "OK NAMESPACE completed")
        case .id:
            output.raw(ServerIdentification.response)
            complete(tag, "OK ID completed")
        case .enable:
            // No extension of ours needs enabling yet (RFC 5161 §3.1: an empty list says so).
            output.raw("* ENABLED\r\n")
            complete(tag, "OK ENABLE completed")
        case .select(let name, let readOnly): select(tag, name, readOnly: readOnly)
        case .create(let name):
            if name.isInbox { return refuse(tag, .refused(.alreadyExists)) }
            run(tag, .create(name), done: "OK CREATE completed")
        case .delete(let name):
            if name.isInbox { return refuse(tag, .refused(.cannot)) }
            run(tag, .delete(name), done: "OK DELETE completed")
        case .rename(let old, let new): run(tag, .rename(old, to: new), done: "OK RENAME completed")
        case .subscribe(let name): run(tag, .subscribe(name), done: "OK SUBSCRIBE completed")
        case .unsubscribe(let name): run(tag, .unsubscribe(name), done: "OK UNSUBSCRIBE completed")
        case .list(let request): list(tag, request, isLsub: false)
        case .lsub(let request): list(tag, request, isLsub: true)
        case .status(let name, let items):
            running = .status(tag, name, items)
            ask(.status(name, items))
        case .idle: idle(tag)
        case .close: closeMailbox(tag)
        case .unselect: unselect(tag, done: "OK UNSELECT completed")
        case .expunge(let set): expunge(tag, set)
        case .search(let program, let numbering): search(tag, program, numbering)
        case .fetch(let set, let items, let numbering): fetch(tag, set, items, numbering)
        case .store(let set, let operation, let numbering): store(tag, set, operation, numbering)
        case .copy(let set, let target, let numbering): copy(tag, set, target, numbering, isMove: false)
        case .move(let set, let target, let numbering): copy(tag, set, target, numbering, isMove: true)
        }
    }

    private mutating func run(_ tag: Tag, _ question: Question, done: StaticString) {
        running = .simple(tag, done: done)
        ask(question)
    }

    /// The places of a command's messages; replies and gives nil if it names one that does not exist.
    mutating func places(_ tag: Tag, _ set: SequenceSet, _ numbering: Command.Numbering) -> [Range<Int>]? {
        guard let places = selected?.places(set, numbering) else {
            reply(tag, "BAD No such message")
            return nil
        }
        return places
    }

    mutating func refuseReadOnly(_ tag: Tag) -> Bool {
        guard selected?.isReadOnly == true else { return false }
        reply(tag, "NO [CANNOT] The mailbox was opened read-only")
        return true
    }
}
