// LIST, LSUB and STATUS (RFC 3501 §6.3.8 to §6.3.10): the store gives all names, patterns are matched here.

/// A LIST in progress: with `RETURN (STATUS)` a question for each line (RFC 5819 §2).
struct ListRun: Sendable {
    let tag: Tag
    let request: ListRequest
    let isLsub: Bool
    var lines: [ListLine]?
    var position = 0
}

extension Session {
    mutating func list(_ tag: Tag, _ request: ListRequest, isLsub: Bool) {
        if request.asksDelimiter {
            output.raw("* LIST (\\Noselect) \".\" \"\"\r\n")
            return complete(tag, "OK LIST completed")
        }
        running = .list(ListRun(tag: tag, request: request, isLsub: isLsub))
        ask(.list)
    }

    mutating func takeList(_ answer: Answer, _ run: ListRun) {
        var run = run
        switch answer {
        case .mailboxes(let entries) where run.lines == nil:
            let all = MailboxTree(entries)
            run.lines = run.isLsub ? all.lsub(run.request) : all.list(run.request)
            running = .list(run)
        case .status(let status) where run.position > 0:
            guard let line = run.lines?[run.position - 1] else { return }
            printStatus(line.name, status, run.request.status)
        // A mailbox that went in between has no status, and LIST goes on (RFC 5819 §2).
        case .refused where run.lines != nil: break
        default: refuse(run.tag, answer)
        }
    }

    mutating func stepList(_ run: ListRun) -> Bool {
        guard let lines = run.lines else { return false }
        guard run.position < lines.count else {
            complete(run.tag, run.isLsub ? "OK LSUB completed" : "OK LIST completed")
            return true
        }
        var run = run
        let line = lines[run.position]
        run.position += 1
        running = .list(run)
        output.raw(run.isLsub ? "* LSUB (" : "* LIST (")
        output.raw(Array(line.attributes.map { $0.withUTF8Buffer(Array.init) }.joined(separator: [0x20])))
        output.raw(") \".\" ")
        output.mailbox(line.name)
        output.endLine()
        if !run.request.status.isEmpty, line.isSelectable { ask(.status(line.name, run.request.status)) }
        return true
    }

    mutating func takeStatus(_ answer: Answer, _ tag: Tag, _ name: MailboxName, _ items: [StatusItem]) {
        guard case .status(let status) = answer else { return refuse(tag, answer) }
        printStatus(name, status, items)
        complete(tag, "OK STATUS completed")
    }

    private mutating func printStatus(_ name: MailboxName, _ status: MailboxStatus, _ items: [StatusItem]) {
        output.raw("* STATUS ")
        output.mailbox(name)
        var separator: StaticString = " ("
        for item in items {
            guard let value = status.value(of: item) else { continue }
            output.raw(separator)
            output.raw(item.name)
            output.raw(" ")
            output.number(value)
            separator = " "
        }
        output.raw(separator.utf8CodeUnitCount == 2 ? " ()\r\n" : ")\r\n")
    }
}

extension MailboxStatus {
    fileprivate func value(of item: StatusItem) -> Int? {
        switch item {
        case .messages: messages
        case .recent: recent
        case .uidNext: uidNext.map { Int($0.value) }
        case .uidValidity: uidValidity.map { Int($0.value) }
        case .unseen: unseen
        }
    }
}
