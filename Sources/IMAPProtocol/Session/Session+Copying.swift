// COPY and MOVE (RFC 3501 §6.4.7, RFC 6851): one question, all or none, with the new UIDs told (RFC 4315 §3).

/// A COPY or MOVE that the store is doing.
struct CopyRun: Sendable {
    let tag: Tag
    let numbering: Command.Numbering
    let isMove: Bool
    let count: Int
}

extension Session {
    mutating func copy(
        _ tag: Tag, _ set: SequenceSet, _ target: MailboxName, _ numbering: Command.Numbering, isMove: Bool
    ) {
        if isMove, refuseReadOnly(tag) { return }
        guard let places = places(tag, set, numbering), let messages = selected?.messages else { return }
        let uids = places.flatMap { messages[$0].map(\.uid) }
        let done: StaticString = isMove ? "OK MOVE completed" : "OK COPY completed"
        guard !uids.isEmpty else { return complete(tag, done) }
        running = .copy(CopyRun(tag: tag, numbering: numbering, isMove: isMove, count: uids.count))
        ask(isMove ? .move(uids, to: target) : .copy(uids, to: target))
    }

    mutating func takeCopy(_ answer: Answer, _ run: CopyRun) {
        guard case .copied(let mapping) = answer else { return refuse(run.tag, answer, isTarget: true) }
        if mapping.pairs.count < run.count { needsRefresh = true }
        guard !mapping.pairs.isEmpty else { return refuse(run.tag, .refused(.expungeIssued)) }
        guard run.isMove else { return complete(run.tag, Session.completion(mapping, "COPY completed")) }
        // RFC 6851 §4.3: the new UIDs are told before the messages go.
        reply(nil, Session.completion(mapping, "Moved"))
        for pair in mapping.pairs { selected?.vanish(pair.old) }
        complete(run.tag, "OK MOVE completed")
    }

    private static func completion(_ mapping: UIDMapping, _ text: StaticString) -> [UInt8] {
        var printer = ResponsePrinter()
        printer.raw("OK [COPYUID ")
        printer.number(mapping.uidValidity.value)
        printer.raw(" ")
        printer.uidSet(mapping.pairs.map(\.old))
        printer.raw(" ")
        printer.uidSet(mapping.pairs.map(\.new))
        printer.raw("] ")
        printer.raw(text)
        return printer.bytes
    }
}
